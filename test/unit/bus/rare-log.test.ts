import { expect } from "chai";
import { RareLog } from "../../../src/bus/rare-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { keepLog } from "../../support/open-test-bus.ts";

describe("the log of what may happen often", () => {
  it("says each kind once a minute, and how often it was left out", async () => {
    const clock = new FakeClock();
    const { logger, lines } = keepLog();
    const log = new RareLog(logger, clock);
    for (let count = 0; count < 5; count++) log.warn("a", { reason: String(count) });
    log.warn("b");
    await clock.advance(60_000);
    log.warn("a", { reason: "later" });
    expect(lines).to.deep.equal([
      { level: "warn", message: "a", reason: "0" },
      { level: "warn", message: "b" },
      { level: "warn", message: "a", reason: "later", count: 4 },
    ]);
  });
});
