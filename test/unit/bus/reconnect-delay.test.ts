import { expect } from "chai";
import { chooseReconnectDelayMs } from "../../../src/bus/reconnect-delay.ts";

describe("the delay before connecting again", () => {
  for (const [failedRoundCount, leastMs, mostMs] of [
    [0, 0, 125],
    [1, 125, 250],
    [2, 250, 500],
    [3, 500, 1_000],
    [5, 2_000, 4_000],
    [6, 2_500, 5_000],
    [10_000, 2_500, 5_000],
  ] as const) {
    it(`is ${leastMs} to ${mostMs} ms after ${failedRoundCount} failed rounds`, () => {
      const chosen = [0, 0.999_999].map((chance) =>
        chooseReconnectDelayMs(failedRoundCount, { next: () => chance }),
      );
      expect(Math.round(Math.min(...chosen))).to.equal(leastMs);
      expect(Math.round(Math.max(...chosen))).to.equal(mostMs);
    });
  }
});
