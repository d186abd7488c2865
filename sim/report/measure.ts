import type { Referee, RequestBook } from "../check/referee.ts";
import { matches } from "../world/conditions.ts";
import type { EndpointSpec } from "../world/endpoint-spec.ts";
import type { Scenario } from "../world/scenario.ts";
import { computeUtility } from "../world/utility.ts";

/** What a run waits for and may not see: when it was, or that it was not. */
export type Sighting = number | "never";

/**
 * What a run is judged by. Times in ms; undefined where it means nothing, as the fault window's
 * figures of a run that ends before it does, and the times of a run without a success.
 */
export interface Measures {
  readonly requestCount: number;
  readonly successRatio: number;
  /** Of requests that arrived while the fault was on. */
  readonly faultSuccessRatio: number | undefined;
  /** Means over all requests, failures as 0. */
  readonly utility: number;
  readonly faultUtility: number | undefined;
  readonly p50TotalMs: number | undefined;
  readonly p95TotalMs: number | undefined;
  readonly faultP95TotalMs: number | undefined;
  readonly p99FirstTokenMs: number | undefined;
  readonly faultP99FirstTokenMs: number | undefined;
  readonly usdPerSuccess: number;
  /** Calls per 100 requests that were in vain, by kind. */
  readonly limitedPer100: number;
  readonly errorsPer100: number;
  readonly hangsPer100: number;
  /** Aborted though an answer was coming: hedges and deadlines. */
  readonly abortedPer100: number;
  /** Limited, errors and hangs, of requests in the fault window. */
  readonly faultWastedPer100: number | undefined;
  /** Calls per request. */
  readonly amplification: number;
  /** Calls to the bad endpoints in the fault window. */
  readonly badCallCount: number | undefined;
  /** Those by a replica in the 10 s after its restart, other than probes; undefined where none restarts. */
  readonly restartedBadCallCount: number | undefined;
  /** From 5 s to 25 s after its restart a replica's mean utility by the others' at the same time; undefined where none restarts. */
  readonly restartedUtilityRatio: number | undefined;
  /** The mean of all replicas but the first. */
  readonly othersUtility: number;
  /** From the network's healing until all replicas know the same; undefined where it does not heal. */
  readonly agreementMs: Sighting | undefined;
  /** From the fault's beginning to the first 5 s window in which the bad endpoints' share is below 2 % or 15 % of before. */
  readonly detectMs: Sighting | undefined;
  /** From the fault's beginning until every replica held the busiest bad endpoint for failed. */
  readonly fleetSuspectMs: Sighting | undefined;
  /** Transitions of breakers per minute and replica. */
  readonly stateChangesPerMinute: number;
  /** The largest of the replicas' mean utilities over the least. */
  readonly fairness: number;
}

/** What the measures need beside the books. */
export interface MeasureInput {
  readonly scenario: Scenario;
  readonly endpoints: readonly EndpointSpec[];
  readonly untilMs: number;
  readonly replicaCount: number;
  readonly fleetSuspectMs: Sighting | undefined;
  readonly agreementMs: Sighting | undefined;
  readonly stateChangeCount: number;
}

/** Sums up a run. */
export function measure(referee: Referee, input: MeasureInput): Measures {
  const { scenario, endpoints, untilMs, replicaCount } = input;
  const all = referee.requests.filter((book) => book !== undefined);
  const inFault = all.filter(({ request }) => isInFault(request.arrivalMs, scenario));
  const count = Math.max(all.length, 1);
  const utilityOf = (book: RequestBook) => rate(book, endpoints);
  const calls = referee.calls;
  const wasted = (kinds: readonly string[], of: readonly { fate: string }[], per: number) =>
    (100 * of.filter(({ fate }) => kinds.includes(fate)).length) / Math.max(per, 1);
  const aborted = calls.filter((call) => call.aborted && (call.fate === "completed" || call.fate === "cut"));
  const faultCalls = calls.filter(({ request }) => isInFault(request.arrivalMs, scenario));
  const successes = all.filter(({ succeeded }) => succeeded);
  const totals = sorted(successes.map(({ totalMs }) => totalMs));
  const faultTotals = sorted(inFault.filter(({ succeeded }) => succeeded).map(({ totalMs }) => totalMs));
  return {
    requestCount: all.length,
    successRatio: successes.length / count,
    faultSuccessRatio: ofSome(inFault, faultTotals.length / inFault.length),
    utility: mean(all.map(utilityOf)),
    faultUtility: ofSome(inFault, mean(inFault.map(utilityOf))),
    p50TotalMs: quantile(totals, 0.5),
    p95TotalMs: quantile(totals, 0.95),
    faultP95TotalMs: quantile(faultTotals, 0.95),
    p99FirstTokenMs: quantile(firstTokens(all), 0.99),
    faultP99FirstTokenMs: quantile(firstTokens(inFault), 0.99),
    usdPerSuccess: all.reduce((sum, { costUsd }) => sum + costUsd, 0) / Math.max(successes.length, 1),
    limitedPer100: wasted(["limited", "unpaid"], calls, count),
    errorsPer100:
      wasted(["error"], calls, count) +
      wasted(
        ["cut"],
        calls.filter((call) => !call.aborted),
        count,
      ),
    hangsPer100: wasted(["hang"], calls, count),
    abortedPer100: (100 * aborted.length) / count,
    faultWastedPer100: ofSome(
      inFault,
      wasted(["limited", "unpaid", "error", "cut", "hang"], faultCalls, inFault.length),
    ),
    amplification: referee.starts.length / count,
    restartedBadCallCount: countAfterRestart(referee, scenario, endpoints),
    restartedUtilityRatio: rateAfterRestart(all, scenario, utilityOf),
    othersUtility: mean(all.filter(({ request }) => request.replica !== 0).map(utilityOf)),
    agreementMs: input.agreementMs,
    ...watchBad(referee, scenario, endpoints, untilMs),
    fleetSuspectMs: input.fleetSuspectMs,
    stateChangesPerMinute: input.stateChangeCount / (untilMs / 60_000) / replicaCount,
    fairness: compareReplicas(all, replicaCount, utilityOf),
  };
}

/** What a request's answer was worth. */
export function rate(book: RequestBook, endpoints: readonly EndpointSpec[]): number {
  const spec = endpoints[book.endpoint];
  if (!book.succeeded || spec === undefined) return 0;
  return computeUtility(book.request, spec.quality, book.totalMs, book.costUsd);
}

/** The figure, or undefined when it is one of none. */
function ofSome(books: readonly RequestBook[], figure: number): number | undefined {
  return books.length === 0 ? undefined : figure;
}

function isInFault(atMs: number, { faultFromMs, faultUntilMs }: Scenario): boolean {
  return atMs >= faultFromMs && atMs < faultUntilMs;
}

const WINDOW_MS = 5_000;
const STEP_MS = 500;

function watchBad(
  { starts }: Referee,
  scenario: Scenario,
  endpoints: readonly EndpointSpec[],
  untilMs: number,
): Pick<Measures, "badCallCount" | "detectMs"> {
  if (scenario.bad === "") return { badCallCount: 0, detectMs: undefined };
  if (scenario.faultFromMs >= untilMs) return { badCallCount: undefined, detectMs: undefined };
  const bad = new Set(endpoints.flatMap((spec, index) => (matches(scenario.bad, spec) ? [index] : [])));
  const { faultFromMs, faultUntilMs } = scenario;
  const share = (fromMs: number, untilMs: number) => {
    const within = starts.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    return within.filter(({ endpoint }) => bad.has(endpoint)).length / Math.max(within.length, 1);
  };
  const badCallCount = starts.filter(
    ({ atMs, endpoint }) => bad.has(endpoint) && atMs >= faultFromMs && atMs < faultUntilMs,
  ).length;
  const limit = Math.max(0.02, 0.15 * share(faultFromMs - 60_000, faultFromMs));
  const near = faultFromMs + 120_000;
  const lastMs = Math.min(near, faultUntilMs, untilMs - WINDOW_MS);
  for (let fromMs = faultFromMs; fromMs < lastMs; fromMs += STEP_MS) {
    if (share(fromMs, fromMs + WINDOW_MS) < limit) return { badCallCount, detectMs: fromMs - faultFromMs };
  }
  return { badCallCount, detectMs: "never" };
}

const RESTARTED_MS = 10_000;

function countAfterRestart(
  { starts }: Referee,
  { bad, restarts }: Scenario,
  endpoints: readonly EndpointSpec[],
): number | undefined {
  if (bad === "" || restarts.everyMs === 0) return undefined;
  return starts.filter(({ atMs, endpoint, replica, isProbe }) => {
    const spec = endpoints[endpoint];
    if (isProbe) return false;
    const sinceMs = atMs - restarts.fromMs - replica * restarts.everyMs;
    return spec !== undefined && matches(bad, spec) && sinceMs >= 0 && sinceMs < RESTARTED_MS;
  }).length;
}

const WARM_FROM_MS = 5_000;
const WARM_UNTIL_MS = 25_000;

function rateAfterRestart(
  all: readonly RequestBook[],
  { restarts: { fromMs, everyMs } }: Scenario,
  utilityOf: (book: RequestBook) => number,
): number | undefined {
  if (everyMs === 0) return undefined;
  const own: number[] = [];
  const others: number[] = [];
  const replicas = [...new Set(all.map(({ request }) => request.replica))];
  for (const book of all) {
    const { arrivalMs, replica } = book.request;
    for (const restarted of replicas) {
      const sinceMs = arrivalMs - fromMs - restarted * everyMs;
      if (sinceMs >= WARM_FROM_MS && sinceMs < WARM_UNTIL_MS) {
        (replica === restarted ? own : others).push(utilityOf(book));
      }
    }
  }
  return mean(own) / Math.max(mean(others), Number.MIN_VALUE);
}

function compareReplicas(
  all: readonly RequestBook[],
  replicaCount: number,
  utilityOf: (book: RequestBook) => number,
): number {
  const means = Array.from({ length: replicaCount }, (_, replica) =>
    mean(all.filter(({ request }) => request.replica === replica).map(utilityOf)),
  );
  return Math.max(...means) / Math.max(Math.min(...means), Number.MIN_VALUE);
}

function firstTokens(books: readonly RequestBook[]): readonly number[] {
  return sorted(
    books.flatMap(({ firstTokenMs, succeeded }) =>
      succeeded && firstTokenMs !== undefined ? [firstTokenMs] : [],
    ),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function sorted(values: readonly number[]): readonly number[] {
  return [...Float64Array.from(values).sort()];
}

function quantile(ascending: readonly number[], ratio: number): number | undefined {
  return ascending[Math.min(Math.floor(ratio * ascending.length), ascending.length - 1)];
}
