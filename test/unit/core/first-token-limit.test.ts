import { expect } from "chai";
import fc from "fast-check";
import { limitFirstTokenMs } from "../../../src/core/first-token-limit.ts";

describe("the time an attempt may wait for its first delta", () => {
  const rows = [
    { name: "the configured limit while there is plenty of time", given: [60_000, 600_000, 3], want: 60_000 },
    { name: "an equal share of what is left", given: [60_000, 9_000, 3], want: 3_000 },
    { name: "the configured limit for the last attempt", given: [60_000, 9_000, 1], want: 60_000 },
  ] as const;
  for (const { name, given, want } of rows) {
    it(`is ${name}`, () => expect(limitFirstTokenMs(given[0], given[1], given[2])).to.equal(want));
  }

  it("lets every possible attempt begin before the deadline (property)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), fc.integer({ min: 1, max: 10 }), (remainingMs, count) => {
        let leftMs = remainingMs;
        for (let attempt = count; attempt >= 1; attempt--) {
          expect(leftMs).to.be.greaterThan(0);
          leftMs -= limitFirstTokenMs(60_000, leftMs, attempt);
        }
      }),
    );
  });
});
