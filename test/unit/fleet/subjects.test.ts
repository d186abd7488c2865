import { expect } from "chai";
import fc from "fast-check";
import {
  breakerSubject,
  escapeSubjectToken,
  healthSubject,
  performanceSubject,
  readHealthSubject,
  unescapeSubjectToken,
} from "../../../src/fleet/subjects.ts";

const anyId = fc.string({ unit: "grapheme", maxLength: 40 });

describe("ids as tokens of subjects", () => {
  it("are turned back, whatever they are", () => {
    fc.assert(
      fc.property(anyId, (id) => {
        const token = escapeSubjectToken(id);
        expect(token).to.match(/^[a-z0-9_-]+$/);
        expect(unescapeSubjectToken(token)).to.equal(id);
      }),
      { numRuns: 2_000 },
    );
  });

  for (const [id, token] of [
    ["zhipu/glm-4.7-flash", "zhipu_2fglm-4_2e7-flash"],
    ["", "_"],
    ["_", "_5f"],
    ["A b*>", "_41_20b_2a_3e"],
    ["智谱", "_e6_99_ba_e8_b0_b1"],
  ] as const) {
    it(`writes ${JSON.stringify(id)} as ${token}`, () => {
      expect(escapeSubjectToken(id)).to.equal(token);
    });
  }

  for (const token of ["", "a.b", "_4", "_zz", "_41_", "A", "*", ">", "_61", "_ff", "__", "a".repeat(300)]) {
    it(`refuses ${JSON.stringify(token)}, which it never makes`, () => {
      expect(unescapeSubjectToken(token)).to.equal(undefined);
    });
  }

  it("never makes one subject of two pairs of ids", () => {
    fc.assert(
      fc.property(anyId, anyId, anyId, anyId, (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(breakerSubject(a, b)).to.not.equal(breakerSubject(c, d));
        expect(performanceSubject("r", a, b)).to.not.equal(performanceSubject("r", c, d));
      }),
    );
  });

  it("names the replica of a health subject, and of no other", () => {
    expect(readHealthSubject(healthSubject("pod 1"))).to.equal("pod 1");
    expect(readHealthSubject("sluice.v1.perf.a.b.c")).to.equal(undefined);
    expect(readHealthSubject("sluice.v1.health.a.b")).to.equal(undefined);
  });
});
