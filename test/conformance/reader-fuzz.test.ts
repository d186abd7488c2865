import { expect } from "chai";
import { fuzzReaders } from "./reader-fuzz.ts";

describe("the readers of answers", () => {
  it("take 10,000 damaged answers with typed ends only, however they are cut", () => {
    const { inputCount, ends } = fuzzReaders(10_000, 1);
    expect(inputCount).to.equal(10_000);
    expect([...ends.keys()]).to.include.members(["completed", "stream_interrupted", "server_error"]);
  }).timeout(20_000);
});
