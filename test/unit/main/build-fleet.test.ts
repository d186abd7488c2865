import { expect } from "chai";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import type { BusState, HealthBus } from "../../../src/domain/health-bus.ts";
import type { Outcome } from "../../../src/domain/outcome.ts";
import { decodeHealthMessage } from "../../../src/fleet/decode-health.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { buildFleet } from "../../../src/main/build-fleet.ts";
import { buildRouting } from "../../../src/main/build-routing.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { keepLog } from "../../support/open-test-bus.ts";
import { sampleRouting } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

describe("a replica whose callers err", () => {
  it("tells the others at once of what fails, however many of its callers' errors it has seen", async () => {
    const clock = new FakeClock();
    const random = seededRandom(1);
    const kinds: string[] = [];
    const bus: HealthBus = {
      state: "connected",
      publish({ type, subject, payload }) {
        if (type !== "sluice.v1.HealthMessage") return true;
        const decoded = decodeHealthMessage(payload, subject.split(".").at(-1) ?? "");
        if ("message" in decoded) kinds.push(decoded.message.kind);
        return true;
      },
      subscribe: () => () => {},
      ask: () => () => {},
      answer: () => () => {},
      onStateChange: () => () => {},
      close: async () => {},
    };
    const model = sampleModel("m", { providers: ["p"] });
    const routing = buildRouting(sampleRouting([model], {}), { clock, random, providers: new Map() });
    const ports = { clock, random, logger: keepLog().logger, version: "1" };
    const fleet = buildFleet(routing, { bus, replicaId: "r1" }, undefined, ports);
    const [deployment] = model.deployments;
    if (deployment === undefined) throw new Error("there is no deployment");
    const end = (outcome: Outcome) => {
      const record = { attemptNumber: 1, deployment, outcome, totalMs: 1, purpose: "first", tier: "auto" };
      fleet.observer.onAttemptEnd(record as AttemptRecord, "request", undefined);
    };
    for (let attempt = 0; attempt < 50; attempt++) {
      for (const outcome of ["invalid_request", "content_filter", "local", "cancelled", "success"] as const) {
        end(outcome);
      }
    }
    expect(kinds).to.deep.equal([]);
    for (const outcome of ["server_error", "overloaded", "rate_limit", "auth"] as const) end(outcome);
    expect(kinds).to.deep.equal(["urgent", "urgent", "urgent", "urgent"]);
    await fleet.close();
    routing.close();
  });
});

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
