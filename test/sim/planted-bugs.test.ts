import { expect } from "chai";
import { InvariantViolation } from "../../sim/check/invariant-violation.ts";
import type { RequestSink } from "../../sim/check/referee.ts";
import type { Fleet, FleetParts } from "../../sim/fleet/fleet.ts";
import type { Contestant } from "../../sim/policies/contestants.ts";
import { type Effect, makeEffect } from "../../sim/world/scenario.ts";
import type { CallListener, WorldView } from "../../sim/world/world.ts";
import { AttemptBudget } from "../../src/policies/attempt-budget.ts";
import { AdaptiveRule } from "../../src/policies/breaker/adaptive-rule.ts";
import { ProbeSlots } from "../../src/policies/breaker/probe-slots.ts";
import { Breaker, type BreakerPermit } from "../../src/policies/breaker.ts";
import { ConcurrencyLimit } from "../../src/policies/concurrency-limit.ts";
import { Settlement } from "../../src/router/settle.ts";
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
        restart: (replica) => fleet.restart(replica),
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
      noteProbe: (request) => referee.noteProbe(request),
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
      freeRatio: (endpoint) => world.freeRatio(endpoint),
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
  readonly untilMs?: number;
  /** Puts the bug into the shipped code itself; answers what takes it out again. */
  readonly patch?: () => () => void;
}

/** Replaces a method of a class for a while. */
function patchMethod<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (real: T[K]) => T[K],
): () => void {
  const real = prototype[name];
  prototype[name] = make(real);
  return () => {
    prototype[name] = real;
  };
}

/** Changes what permits of breakers do with a verdict. */
function patchPermits(
  settle: (breaker: Breaker, permit: BreakerPermit, ...said: Parameters<BreakerPermit["settle"]>) => boolean,
): () => void {
  return patchMethod(
    Breaker.prototype,
    "acquire",
    (real) =>
      function acquire(this: Breaker) {
        const permit = real.call(this);
        return (
          permit && {
            isCurrent: () => permit.isCurrent(),
            settle: (...said: Parameters<BreakerPermit["settle"]>) => settle(this, permit, ...said),
          }
        );
      },
  );
}

const B_FAILS = makeEffect("b", { fromMs: 20_000, untilMs: 45_000, errorRatio: 1 });

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
    // It shows where a request ends with the abort: at its deadline.
    effects: [makeEffect("*", { perTokenFactor: 20 })],
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
  {
    bug: "an attempt is settled twice",
    rule: "I2",
    contestant: sluice,
    patch: () =>
      patchMethod(
        Settlement.prototype,
        "settleAttempt",
        (real) =>
          function settleAttempt(this: Settlement, ...ended: Parameters<typeof real>) {
            real.apply(this, ended);
            real.apply(this, ended);
          },
      ),
  },
  {
    bug: "one attempt in a hundred is never settled",
    rule: "I2",
    contestant: sluice,
    patch: () =>
      patchMethod(
        Settlement.prototype,
        "settleAttempt",
        (real) =>
          function settleAttempt(this: Settlement, ...ended: Parameters<typeof real>) {
            if (Number(ended[1].requestId) % 100 !== 7) real.apply(this, ended);
          },
      ),
  },
  {
    bug: "an answer is settled with other tokens than it had",
    rule: "I2",
    contestant: sluice,
    patch: () =>
      patchMethod(
        Settlement.prototype,
        "settleAttempt",
        (real) =>
          function settleAttempt(this: Settlement, ...[record, ...rest]: Parameters<typeof real>) {
            const usage = { inputTokens: record.usage?.inputTokens ?? 0, outputTokens: 1 };
            real.call(this, { ...record, usage }, ...rest);
          },
      ),
  },
  {
    bug: "the budget of hedges and retries is never empty",
    rule: "I5",
    contestant: sluice,
    effects: [makeEffect("b", { fromMs: 20_000, firstTokenFactor: 8 })],
    untilMs: 240_000,
    patch: () => patchMethod(AttemptBudget.prototype, "withdraw", () => () => true),
  },
  {
    bug: "a place among the calls in flight is never given back",
    rule: "I6",
    contestant: sluice,
    patch: () => patchMethod(ConcurrencyLimit.prototype, "release", () => () => {}),
  },
  {
    bug: "a breaker opens by what is said, without a failed call",
    rule: "I7",
    contestant: sluice,
    patch: () =>
      patchPermits((breaker, permit, verdict, facts) => {
        const settled = permit.settle(verdict, facts);
        if (verdict === "success" && breaker.state === "closed") breaker.trip();
        return settled;
      }),
  },
  {
    bug: "an ignored outcome of a probe counts as a success (opossum's error filter)",
    rule: "I7",
    contestant: sluice,
    effects: [B_FAILS, makeEffect("b", { fromMs: 45_000, quotaFactor: 0.001 })],
    untilMs: 480_000,
    patch: () =>
      patchPermits((_breaker, permit, verdict, facts) =>
        permit.settle(verdict === "ignore" || verdict === "limited" ? "success" : verdict, facts),
      ),
  },
  {
    bug: "a success from before the outage closes the breaker (opossum has no epochs)",
    rule: "I7",
    contestant: sluice,
    // Some are still answered when it opens.
    effects: [makeEffect("b", { fromMs: 20_000, errorRatio: 0.5 })],
    untilMs: 180_000,
    patch: () =>
      patchPermits((breaker, permit, verdict, facts) => {
        if (verdict === "success" && breaker.state !== "closed" && !permit.isCurrent()) breaker.reset();
        return permit.settle(verdict, facts);
      }),
  },
  {
    bug: "the first good probe closes the breaker (opossum's half-open)",
    rule: "I7",
    contestant: sluice,
    effects: [B_FAILS],
    patch: () => patchMethod(AdaptiveRule.prototype, "requiredSuccessCount", () => () => 1),
  },
  {
    bug: "a probe's place is never given back (opossum's half-open for ever)",
    rule: "I7",
    contestant: sluice,
    effects: [B_FAILS],
    untilMs: 780_000,
    patch() {
      const full = new WeakSet<ProbeSlots>();
      const undo = [
        patchMethod(ProbeSlots.prototype, "free", () => () => {}),
        patchMethod(
          ProbeSlots.prototype,
          "hasRoom",
          () =>
            function hasRoom(this: ProbeSlots) {
              return !full.has(this);
            },
        ),
        patchMethod(
          ProbeSlots.prototype,
          "take",
          (real) =>
            function take(this: ProbeSlots, nowMs: number) {
              full.add(this);
              return real.call(this, nowMs);
            },
        ),
        patchMethod(
          ProbeSlots.prototype,
          "clear",
          (real) =>
            function clear(this: ProbeSlots) {
              full.delete(this);
              real.call(this);
            },
        ),
      ];
      return () => {
        for (const each of undo) each();
      };
    },
  },
];

describe("the simulator's rules", () => {
  for (const { bug, rule, contestant, effects = [], untilMs = SHORT.untilMs, patch } of BUGS) {
    it(`find it when ${bug}`, function () {
      this.timeout(180_000);
      const undo = patch?.();
      try {
        const run = () => runShort("S13", contestant, { ...SHORT, untilMs, effects });
        expect(run).to.throw(InvariantViolation).with.property("rule", rule);
      } finally {
        undo?.();
      }
    });
  }

  it("say nothing of the router as it is in the world of the breaker's bugs", function () {
    this.timeout(180_000);
    const effects = [B_FAILS, makeEffect("b", { fromMs: 45_000, untilMs: 90_000, quotaFactor: 0.001 })];
    expect(runShort("S13", sluice, { ...SHORT, untilMs: 480_000, effects }).requestCount).to.be.above(8_000);
  });

  it("say nothing of the router as it is", function () {
    this.timeout(20_000);
    const measures = runShort("S13", sluice, SHORT);
    expect(measures.requestCount).to.be.greaterThan(1_000);
  });
});
