/** One run: a scenario, a regime, a seed, a contestant. */

import { InvariantViolation } from "./check/invariant-violation.ts";
import { Referee } from "./check/referee.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { Contestant } from "./policies/contestants.ts";
import { type Measures, measure, type Sighting } from "./report/measure.ts";
import { matches } from "./world/conditions.ts";
import type { EndpointSpec } from "./world/endpoint-spec.ts";
import { EventClock } from "./world/event-clock.ts";
import { generateIncidents } from "./world/incidents.ts";
import type { Regime } from "./world/regime.ts";
import type { Effect, Scenario } from "./world/scenario.ts";
import { makeWorkload, type SimRequest, type Trace } from "./world/workload.ts";
import { World } from "./world/world.ts";

/** What a run is made of. */
export interface RunInput {
  readonly scenario: Scenario;
  readonly regime: Regime;
  readonly seed: number;
  readonly contestant: Contestant;
  readonly endpoints: readonly EndpointSpec[];
  /** Arrivals stop here; the scenario's own length, or less. */
  readonly untilMs: number;
  readonly trace: Trace | undefined;
  /** Incidents of providers instead of generated ones, for scenarios that have incidents. */
  readonly incidents: readonly Effect[] | undefined;
}

const WATCH_MS = 20;
const AGREEMENT_LOOK_MS = 500;
/** What is compared is kept for so long. */
const MAX_AGREEMENT_MS = 50_000;
/** After the last arrival everything must be over by the deadline. */
const DRAIN_MS = 5_000;

/** Runs it. Throws `InvariantViolation` when a rule is broken. */
export function runOnce(input: RunInput): Measures {
  const { scenario, regime, seed, endpoints, untilMs } = input;
  const clock = new EventClock();
  const referee = new Referee(regime, () => clock.nowMs());
  const providers = [...new Set(endpoints.map(({ provider }) => provider))];
  const incidents = input.incidents ?? generateIncidents(seed, providers, untilMs);
  const effects = scenario.incidents ? [...scenario.effects, ...incidents] : scenario.effects;
  const world = new World({ clock, seed, endpoints, scenario, effects, regime, watcher: referee });
  const fleet = input.contestant.start({ world, regime, network: scenario.network, seed, referee });
  const workload = makeWorkload(seed, scenario, regime.replicaCount, untilMs, input.trace);
  feed(clock, workload, (request) => {
    referee.accept(request);
    fleet.submit(request);
  });
  scheduleReloads(clock, world, effects, fleet, untilMs);
  scheduleRestarts(clock, input, fleet);
  const watch = watchSuspicion(clock, input, fleet, referee);
  const agreement = watchAgreement(clock, input, fleet);
  clock.runUntil(untilMs, referee.checkEvent);
  const { stateChangeCount } = fleet;
  fleet.close();
  clock.runUntil(untilMs + regime.timeoutMs + DRAIN_MS, referee.checkEvent);
  referee.checkEnd();
  fleet.checkEnd?.();
  if (clock.pendingCount > 0) throw new InvariantViolation("I6", `${clock.pendingCount} timers are left`);
  return measure(referee, {
    scenario,
    endpoints,
    untilMs,
    replicaCount: regime.replicaCount,
    fleetSuspectMs: watch.foundMs,
    agreementMs: agreement.foundMs,
    stateChangeCount,
  });
}

function feed(
  clock: EventClock,
  workload: readonly SimRequest[],
  submit: (request: SimRequest) => void,
): void {
  const arm = (index: number) => {
    const request = workload[index];
    if (request === undefined) return;
    clock.timer(request.arrivalMs - clock.nowMs(), () => {
      arm(index + 1);
      submit(request);
    });
  };
  arm(0);
}

/** Prices that change are told by a reload at the moment they do. */
function scheduleReloads(
  clock: EventClock,
  world: World,
  effects: readonly Effect[],
  fleet: Fleet,
  untilMs: number,
): void {
  const changes = effects.filter(({ priceFactor }) => priceFactor !== 1);
  const times = new Set(changes.flatMap((each) => [each.fromMs, each.untilMs]));
  for (const atMs of times) {
    if (atMs >= untilMs) continue;
    clock.timer(atMs, () =>
      fleet.reloadPrices(world.endpoints.map((_, index) => world.conditionOf(index, -1).priceFactor)),
    );
  }
}

function scheduleRestarts(clock: EventClock, { scenario, regime, untilMs }: RunInput, fleet: Fleet): void {
  const { fromMs, everyMs } = scenario.restarts;
  for (let replica = 0; everyMs > 0 && replica < regime.replicaCount; replica++) {
    const atMs = fromMs + replica * everyMs;
    if (atMs < untilMs) clock.timer(atMs, () => fleet.restart(replica));
  }
}

interface Watch {
  foundMs: Sighting | undefined;
}

/** Finds when, after the network has healed, all replicas knew the same of the time before. */
function watchAgreement(clock: EventClock, { scenario, untilMs }: RunInput, fleet: Fleet): Watch {
  const { healsMs } = scenario.network;
  const watch: Watch = { foundMs: undefined };
  if (healsMs === 0 || healsMs >= untilMs || fleet.agrees === undefined) return watch;
  watch.foundMs = "never";
  const look = () => {
    if (fleet.agrees?.(healsMs) === true) watch.foundMs = clock.nowMs() - healsMs;
    else if (clock.nowMs() + AGREEMENT_LOOK_MS < Math.min(untilMs, healsMs + MAX_AGREEMENT_MS)) {
      clock.timer(AGREEMENT_LOOK_MS, look);
    }
  };
  clock.timer(healsMs, look);
  return watch;
}

/** Finds when every replica held the busiest of the bad endpoints for failed. */
function watchSuspicion(
  clock: EventClock,
  { scenario, endpoints, regime, untilMs }: RunInput,
  fleet: Fleet,
  { starts }: Referee,
): Watch {
  const watch: Watch = { foundMs: undefined };
  if (scenario.bad === "" || scenario.faultFromMs >= untilMs) return watch;
  const bad = endpoints.flatMap((spec, index) => (matches(scenario.bad, spec) ? [index] : []));
  const { faultFromMs } = scenario;
  const endMs = Math.min(scenario.faultUntilMs, untilMs);
  clock.timer(faultFromMs, () => {
    const counts = new Map(bad.map((endpoint) => [endpoint, 0]));
    for (const { endpoint } of starts) {
      const count = counts.get(endpoint);
      if (count !== undefined) counts.set(endpoint, count + 1);
    }
    const busiest = bad.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))[0] ?? 0;
    const look = () => {
      const count = fleet.countReplicasAgainst(busiest);
      if (count === undefined) return;
      watch.foundMs = count >= regime.replicaCount ? clock.nowMs() - faultFromMs : "never";
      if (watch.foundMs === "never" && clock.nowMs() + WATCH_MS < endMs) clock.timer(WATCH_MS, look);
    };
    look();
  });
  return watch;
}
