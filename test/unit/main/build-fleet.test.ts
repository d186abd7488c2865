import { expect } from "chai";
import type { BusState, HealthBus } from "../../../src/domain/health-bus.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { buildFleet } from "../../../src/main/build-fleet.ts";
import { buildRouting } from "../../../src/main/build-routing.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { keepLog } from "../../support/open-test-bus.ts";
import { sampleRouting } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

describe("a replica whose bus changes its state", () => {
  it("says once that the others cannot be reached, and once that they can again, however often the reason changes", async () => {
    const clock = new FakeClock();
    const random = seededRandom(1);
    const listeners = new Set<(state: BusState) => void>();
    const bus: HealthBus = {
      state: "connecting",
      publish: () => false,
      subscribe: () => () => {},
      ask: () => () => {},
      answer: () => () => {},
      onStateChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      close: async () => {},
    };
    const { logger, lines } = keepLog();
    const config = sampleRouting([sampleModel("m", { providers: ["p"] })], {});
    const routing = buildRouting(config, { clock, random, providers: new Map() });
    const fleet = buildFleet(routing, { bus, replicaId: "r1" }, undefined, {
      clock,
      random,
      logger,
      version: "1",
    });
    const states: readonly BusState[] = [
      "refused",
      "connecting",
      "refused",
      "connected",
      "connecting",
      "refused",
    ];
    for (const state of states) for (const listener of listeners) listener(state);
    expect(lines.map(({ level, reason }) => [level, reason])).to.deep.equal([
      ["warn", "refused"],
      ["info", undefined],
      ["warn", "connecting"],
    ]);
    await fleet.close();
    expect(listeners.size).to.equal(0);
    routing.close();
    expect(clock.pendingCount).to.equal(0);
  });
});
