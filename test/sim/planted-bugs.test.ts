import { expect } from "chai";
import { InvariantViolation } from "../../sim/check/invariant-violation.ts";
import type { RequestSink } from "../../sim/check/referee.ts";
import type { Fleet, FleetParts } from "../../sim/fleet/fleet.ts";
import type { Contestant } from "../../sim/policies/contestants.ts";
import { type Effect, makeEffect } from "../../sim/world/scenario.ts";
import type { CallListener, WorldView } from "../../sim/world/world.ts";
import { findContestant, runShort } from "./sim-bench.ts";

const sluice = findContestant("sluice");

/** The shipped router with a bug between it and what it must obey. */
function plant(change: (parts: FleetParts) => Partial<FleetParts>): Contestant {
  return { ...sluice, start: (parts) => sluice.start({ ...parts, ...change(parts) }) };
}

function plantInFleet(change: (fleet: Fleet, parts: FleetParts) => Partial<Fleet>): Contestant {
  return {
    ...sluice,
    start(parts) {
      const fleet = sluice.start(parts);
      const whole: Fleet = {
        submit: (request) => fleet.submit(request),
        reloadPrices: (factors) => fleet.reloadPrices(factors),
        close: () => fleet.close(),
        countReplicasAgainst: (endpoint) => fleet.countReplicasAgainst(endpoint),
        stateChangeCount: 0,
      };
      return { ...whole, ...change(fleet, parts) };
    },
  };
}

function plantInSink(change: (sink: RequestSink, parts: FleetParts) => Partial<RequestSink>): Contestant {
  return plant((parts) => {
    const { referee } = parts;
    const whole: RequestSink = {
      noteFirstToken: (request) => referee.noteFirstToken(request),
      finish: (request, succeeded) => referee.finish(request, succeeded),
    };
    return { referee: { ...whole, ...change(referee, parts) } };
  });
}

function plantInCall(call: (world: WorldView) => WorldView["call"]): Contestant {
  return plant(({ world }) => ({
    world: {
      endpoints: world.endpoints,
      clock: world.clock,
      conditionOf: (endpoint, replica) => world.conditionOf(endpoint, replica),
      admits: (endpoint, tokens) => world.admits(endpoint, tokens),
      inFlightCount: (endpoint) => world.inFlightCount(endpoint),
      call: call(world),
    },
  }));
}

const DEAF: CallListener = { onFirstToken() {}, onEnd() {} };

const SHORT = { seed: 1, untilMs: 90_000, faultFromMs: 20_000 };

interface PlantedBug {
  readonly bug: string;
  /** The rule that finds it. */
  readonly rule: string;
  readonly contestant: Contestant;
  /** What must be wrong in the world for the bug to show. */
  readonly effects?: readonly Effect[];
}

const BUGS: readonly PlantedBug[] = [
  {
    bug: "an abort is lost",
    rule: "I4",
    contestant: plantInCall((world) => (endpoint, request, listener) => {
      world.call(endpoint, request, listener);
      return { abort() {} };
    }),
  },
  {
    bug: "an abort comes 200 ms late",
    rule: "I4",
    contestant: plantInCall((world) => (endpoint, request, listener) => {
      const call = world.call(endpoint, request, listener);
      return { abort: () => void world.clock.timer(200, () => call.abort()) };
    }),
  },
  {
    bug: "every call is made twice",
    rule: "I4",
    contestant: plantInCall((world) => (endpoint, request, listener) => {
      world.call(endpoint, request, DEAF);
      return world.call(endpoint, request, listener);
    }),
  },
  {
    bug: "a broken answer passes for a whole one",
    rule: "I2",
    contestant: plantInCall(
      (world) => (endpoint, request, listener) =>
        world.call(endpoint, request, {
          ...listener,
          onFirstToken: () => listener.onFirstToken(),
          onEnd: (_failure, tokens) => listener.onEnd(undefined, tokens),
        }),
    ),
  },
  {
    bug: "a first token passes for the end",
    rule: "I2",
    contestant: plantInCall(
      (world) => (endpoint, request, listener) =>
        world.call(endpoint, request, {
          onFirstToken() {
            listener.onFirstToken();
            listener.onEnd(undefined, 1);
          },
          onEnd() {},
        }),
    ),
  },
  {
    bug: "one attempt more than allowed",
    rule: "I5",
    contestant: plant(({ regime }) => ({ regime: { ...regime, maxAttempts: regime.maxAttempts + 1 } })),
    effects: [makeEffect("*", { errorRatio: 0.4 })],
  },
  {
    bug: "a deadline twice as long",
    rule: "I5",
    contestant: plant(({ regime }) => ({ regime: { ...regime, timeoutMs: regime.timeoutMs * 2 } })),
    effects: [makeEffect("*", { perTokenFactor: 20 })],
  },
  {
    bug: "a request is settled twice",
    rule: "I1",
    contestant: plantInSink((sink) => ({
      finish(request, succeeded) {
        sink.finish(request, succeeded);
        sink.finish(request, succeeded);
      },
    })),
  },
  {
    bug: "one request in a hundred is never settled",
    rule: "I1",
    contestant: plantInSink((sink) => ({
      finish(request, succeeded) {
        if (request.index % 100 !== 7) sink.finish(request, succeeded);
      },
    })),
  },
  {
    bug: "every request is settled as a success",
    rule: "I2",
    contestant: plantInSink((sink) => ({ finish: (request) => sink.finish(request, true) })),
  },
  {
    bug: "a token comes after the end",
    rule: "I1",
    contestant: plantInSink((sink) => ({
      finish(request, succeeded) {
        sink.finish(request, succeeded);
        sink.noteFirstToken(request);
      },
    })),
  },
  {
    bug: "the first token is told twice",
    rule: "I3",
    contestant: plantInSink((sink) => ({
      noteFirstToken(request) {
        sink.noteFirstToken(request);
        sink.noteFirstToken(request);
      },
    })),
  },
  {
    bug: "a request is settled before its call is over",
    rule: "I4",
    contestant: plantInSink((sink) => ({
      noteFirstToken(request) {
        sink.noteFirstToken(request);
        sink.finish(request, false);
      },
    })),
  },
  {
    bug: "a call starts after the end",
    rule: "I4",
    contestant: plantInSink((sink, { world }) => ({
      finish(request, succeeded) {
        sink.finish(request, succeeded);
        world.call(0, request, DEAF);
      },
    })),
  },
  {
    bug: "a request is submitted twice",
    rule: "I3",
    contestant: plantInFleet((fleet) => ({
      submit(request) {
        fleet.submit(request);
        fleet.submit(request);
      },
    })),
  },
  {
    bug: "a request is forgotten",
    rule: "I1",
    contestant: plantInFleet((fleet) => ({
      submit(request) {
        if (request.index !== 500) fleet.submit(request);
      },
    })),
  },
  {
    bug: "gossip goes on after the close",
    rule: "I6",
    contestant: plantInFleet(() => ({ close() {} })),
  },
];

describe("the simulator's rules", () => {
  for (const { bug, rule, contestant, effects = [] } of BUGS) {
    it(`find it when ${bug}`, function () {
      this.timeout(20_000);
      const run = () => runShort("S13", contestant, { ...SHORT, effects });
      expect(run).to.throw(InvariantViolation).with.property("rule", rule);
    });
  }

  it("say nothing of the router as it is", function () {
    this.timeout(20_000);
    const measures = runShort("S13", sluice, SHORT);
    expect(measures.requestCount).to.be.greaterThan(1_000);
  });
});
