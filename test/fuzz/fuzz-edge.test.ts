import { expect } from "chai";
import { fuzzEdge } from "./fuzz-edge.ts";
import { makeBatch } from "./make-batch.ts";

const SEED = 20_261_120;

/** CI sends this many; `node scripts/fuzz-edge.ts` sends a million. */
const INPUT_COUNT = Number(process.env.SLUICE_FUZZ_INPUTS ?? 100_000);

/** What the memory in use may differ by between two measurements of a server that keeps nothing. */
const MEMORY_TOLERANCE_BYTES = 24 * 1024 * 1024;

describe("the edge under hostile input", () => {
  it(`stays up, serves another caller and keeps nothing over ${INPUT_COUNT} inputs`, async () => {
    const result = await fuzzEdge({ seed: SEED, inputCount: INPUT_COUNT });
    expect(result.failures).to.deep.equal([]);
    expect(result.inputCount).to.be.at.least(INPUT_COUNT);
    // Else the fuzzer would be testing parsers alone.
    expect(result.after.requestCount).to.be.greaterThan(INPUT_COUNT / 2);
    expect(result.otherCallCount).to.be.greaterThan(100);
    expect(result.after.heldBytes - result.before.heldBytes).to.be.below(MEMORY_TOLERANCE_BYTES);
  }).timeout(90_000);
});

describe("the fuzzer", () => {
  it("makes the same bytes of the same seed and number, and others of others", () => {
    expect(makeBatch(7, 3)).to.deep.equal(makeBatch(7, 3));
    expect(makeBatch(7, 4)).to.not.deep.equal(makeBatch(7, 3));
    expect(makeBatch(8, 3)).to.not.deep.equal(makeBatch(7, 3));
  });
});
