import { expect } from "chai";
import { LogBrake } from "../../../src/server/edge/log-brake.ts";

describe("the brake of the log", () => {
  it("lets a burst through, then a line a second that counts those left out", () => {
    const brake = new LogBrake(0);
    const written = Array.from({ length: 60 }, () => brake.take(0));
    expect(written.filter((count) => count === 0)).to.have.length(50);
    expect(written.slice(50)).to.deep.equal(new Array(10).fill(undefined));
    expect(brake.take(1_000)).to.equal(10);
    expect(brake.take(1_000)).to.equal(undefined);
    expect(brake.take(2_000)).to.equal(1);
  });
});
