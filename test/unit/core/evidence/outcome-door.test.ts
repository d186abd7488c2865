import { expect } from "chai";
import {
  classifyEvidence,
  type EvidenceKind,
  FAILURE_WEIGHTS,
  TRIP_WEIGHTS,
} from "../../../../src/core/evidence/outcome-door.ts";
import type { Outcome } from "../../../../src/domain/outcome.ts";

const DOORS: Readonly<Record<Exclude<Outcome, "superseded">, EvidenceKind>> = {
  success: "ok",
  server_error: "hard",
  timeout: "hard",
  network: "hard",
  stream_interrupted: "hard",
  overloaded: "weak",
  rate_limit: "limited",
  auth: "credential",
  quota_exhausted: "credential",
  model_unavailable: "held",
  invalid_request: "none",
  context_length_exceeded: "none",
  content_filter: "none",
  cancelled: "none",
  local: "none",
};

describe("the door of an outcome", () => {
  for (const [outcome, kind] of Object.entries(DOORS) as [Outcome, EvidenceKind][]) {
    it(`takes ${outcome} for ${kind}, whatever its age`, () => {
      for (const ageMs of [0, 500, 60_000]) {
        expect(classifyEvidence(outcome, ageMs, 1_000, false)).to.equal(kind);
      }
    });
  }

  it("takes a superseded attempt for weak only when it was later than estimated and had no token", () => {
    const rows: [number, boolean, EvidenceKind][] = [
      [1_000, false, "none"],
      [1_001, false, "weak"],
      [9_000, true, "none"],
    ];
    for (const [ageMs, hadFirstToken, kind] of rows) {
      expect(classifyEvidence("superseded", ageMs, 1_000, hadFirstToken)).to.equal(kind);
    }
  });

  it("lets only ok, hard and weak evidence say something about health", () => {
    for (const kind of ["limited", "credential", "held", "none"] as const) {
      expect([TRIP_WEIGHTS[kind], FAILURE_WEIGHTS[kind]]).to.deep.equal([0, 0]);
    }
  });

  it("weighs by the likelihood of 50 % against 2 % failures", () => {
    expect(TRIP_WEIGHTS.hard).to.be.closeTo(Math.log(0.5 / 0.02), 0.005);
    expect(TRIP_WEIGHTS.ok).to.be.closeTo(Math.log(0.5 / 0.98), 0.005);
    expect(TRIP_WEIGHTS.weak).to.be.closeTo(TRIP_WEIGHTS.hard / 2, 0.02);
  });
});
