import type { Priority } from "../../src/domain/request.ts";
import { drawUnit, toNormal } from "./draws.ts";
import { DataError, readRows } from "./read-json.ts";
import type { Scenario } from "./scenario.ts";

/** One request of a run. The lengths are the truth; routers are told the prompt only. */
export interface SimRequest {
  /** From 0 in order of arrival. */
  readonly index: number;
  readonly arrivalMs: number;
  /** The replica it comes to. */
  readonly replica: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly priority: Priority;
}

/** One row of a trace: seconds from its start and lengths. */
export interface TraceRow {
  readonly atMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** The Azure conversation trace of 2023, four times as dense: arrivals per second. */
const RATE_PER_S = 22;
/**
 * Its rate is not steady. Beyond chance, the counts of 10 s and of a minute deviate by 22 % in the trace, so by half as much
 * where four of it come at once, and a rate is forgotten in some minutes.
 */
const RATE_SIGMA = 0.11;
const RATE_MEMORY_MS = 400_000;
const RATE_STEP_MS = 10_000;
/** Its lengths: the share of requests that are no longer, and the tokens; between two of them lengths are log-uniform. */
const PROMPT_QUANTILES = [
  [0, 2],
  [0.01, 29],
  [0.05, 181],
  [0.1, 207],
  [0.2, 387],
  [0.3, 403],
  [0.4, 703],
  [0.5, 1_020],
  [0.6, 1_071],
  [0.7, 1_130],
  [0.8, 1_315],
  [0.9, 2_734],
  [0.95, 4_083],
  [0.99, 4_142],
  [0.999, 6_122],
  [1, 14_050],
] as const;
const OUTPUT_QUANTILES = [
  [0, 7],
  [0.01, 16],
  [0.05, 41],
  [0.1, 54],
  [0.2, 77],
  [0.3, 91],
  [0.4, 103],
  [0.5, 129],
  [0.6, 177],
  [0.7, 384],
  [0.8, 400],
  [0.9, 424],
  [0.95, 451],
  [0.99, 601],
  [0.999, 954],
  [1, 1_000],
] as const;

/** Arrivals and lengths as they were somewhere. */
export interface Trace {
  /** In order of time. */
  readonly rows: readonly TraceRow[];
  /** So many of it at once, all but the first begun somewhere in the middle: as many times the arrivals. */
  readonly copyCount: number;
}

/** Makes the requests of a run: the same for the same arguments. A trace, where there is one, repeats until the end. */
export function makeWorkload(
  seed: number,
  scenario: Scenario,
  replicaCount: number,
  untilMs: number,
  trace: Trace | undefined,
): readonly SimRequest[] {
  const requests: SimRequest[] = [];
  const add = (arrivalMs: number, promptTokens: number, outputTokens: number) => {
    const index = requests.length;
    const replica = Math.floor(drawUnit(seed, index, 0, 0, 1) * replicaCount);
    const priority = pickPriority(drawUnit(seed, index, 0, 0, 2));
    requests.push({ index, arrivalMs, replica, promptTokens, outputTokens, priority });
  };
  if (trace === undefined) generate(seed, scenario, untilMs, add);
  else repeatTrace(seed, trace, scenario, untilMs, add);
  return requests;
}

type Add = (arrivalMs: number, promptTokens: number, outputTokens: number) => void;

function generate(seed: number, { burst }: Scenario, untilMs: number, add: Add): void {
  const rates = drawRates(seed, untilMs);
  const rateAt = (ms: number) => {
    const inBurst = burst.everyMs > 0 && ms % burst.everyMs < burst.lengthMs;
    return ((rates[Math.floor(ms / RATE_STEP_MS)] ?? 0) * (inBurst ? burst.factor : 1)) / 1_000;
  };
  let atMs = 0;
  for (let index = 0; ; index++) {
    const draw = (salt: number) => drawUnit(seed, index, 1, 0, salt);
    // What is still to be waited for, in expected arrivals: the rate may change on the way.
    let left = -Math.log(1 - draw(3));
    for (;;) {
      const rate = rateAt(atMs);
      const secondEndMs = Math.floor(atMs / 1_000) * 1_000 + 1_000;
      if (left < rate * (secondEndMs - atMs)) {
        atMs += left / rate;
        break;
      }
      left -= rate * (secondEndMs - atMs);
      atMs = secondEndMs;
      if (atMs >= untilMs) return;
    }
    if (atMs >= untilMs) return;
    add(atMs, drawLength(PROMPT_QUANTILES, draw(4)), drawLength(OUTPUT_QUANTILES, draw(6)));
  }
}

/** Arrivals per second in each step of time: its logarithm forgets where it was as a spring does (Ornstein and Uhlenbeck). */
function drawRates(seed: number, untilMs: number): readonly number[] {
  const keeps = Math.exp(-RATE_STEP_MS / RATE_MEMORY_MS);
  const drawNormal = (step: number) => toNormal(drawUnit(seed, step, 2, 0, 3), drawUnit(seed, step, 2, 0, 4));
  const rates: number[] = [];
  let deviate = drawNormal(0);
  for (let step = 0; step * RATE_STEP_MS <= untilMs; step++) {
    rates.push(RATE_PER_S * Math.exp(RATE_SIGMA * deviate - RATE_SIGMA ** 2 / 2));
    deviate = keeps * deviate + Math.sqrt(1 - keeps ** 2) * drawNormal(step + 1);
  }
  return rates;
}

function drawLength(quantiles: readonly (readonly [number, number])[], chance: number): number {
  const above = Math.max(
    quantiles.findIndex(([share]) => share > chance),
    1,
  );
  const [fromShare, fromTokens] = quantiles[above - 1] ?? [0, 1];
  const [toShare, toTokens] = quantiles[above] ?? [1, 1];
  const ratio = (chance - fromShare) / (toShare - fromShare);
  return Math.round(fromTokens * (toTokens / fromTokens) ** ratio);
}

function repeatTrace(
  seed: number,
  { rows, copyCount }: Trace,
  { burst }: Scenario,
  untilMs: number,
  add: Add,
): void {
  const lengthMs = (rows.at(-1)?.atMs ?? 0) + 1;
  const all: TraceRow[] = [];
  for (let copy = 0; copy < copyCount; copy++) {
    const offsetMs = copy === 0 ? 0 : drawUnit(seed, copy, 1, 0, 9) * lengthMs;
    for (let startMs = -offsetMs; startMs < untilMs; startMs += lengthMs) {
      for (const row of rows) all.push({ ...row, atMs: startMs + row.atMs });
    }
  }
  const arrivals = all.filter(({ atMs }) => atMs >= 0 && atMs < untilMs);
  for (const { atMs, promptTokens, outputTokens } of multiplyBursts(seed, arrivals, burst, untilMs)) {
    add(atMs, promptTokens, outputTokens);
  }
}

/** In a burst each arrival comes `factor` times, the further ones somewhere in the same burst. */
function multiplyBursts(
  seed: number,
  rows: readonly TraceRow[],
  { everyMs, lengthMs, factor }: Scenario["burst"],
  untilMs: number,
): readonly TraceRow[] {
  const arrivals = rows.flatMap((row, index): readonly TraceRow[] => {
    if (!(everyMs > 0 && row.atMs % everyMs < lengthMs)) return [row];
    const startMs = row.atMs - (row.atMs % everyMs);
    const count = Math.floor(factor + drawUnit(seed, index, 1, 0, 10));
    return Array.from({ length: count }, (_, copy) =>
      copy === 0 ? row : { ...row, atMs: startMs + drawUnit(seed, index, copy, 1, 11) * lengthMs },
    );
  });
  return arrivals.filter(({ atMs }) => atMs < untilMs).toSorted((a, b) => a.atMs - b.atMs);
}

/** 20 % speed, 15 % quality, 25 % cost, 40 % balanced. */
function pickPriority(chance: number): Priority {
  if (chance < 0.2) return "speed";
  if (chance < 0.35) return "quality";
  return chance < 0.6 ? "cost" : "balanced";
}

const MAX_TRACE_S = 1e7;
const MAX_TOKENS = 1e6;
const MIN_TRACE_MS = 1_000;

/** Reads a trace: CSV with a header and the columns seconds, prompt tokens, output tokens. Throws `DataError`. */
export function parseTrace(text: string, file: string): readonly TraceRow[] {
  const rows = readRows(text, file).map(({ cells, place }): TraceRow => {
    const [seconds = Number.NaN, prompt = Number.NaN, output = Number.NaN] = cells
      .slice(0, 3)
      .map((cell) => (cell === "" ? Number.NaN : Number(cell)));
    const areTokens = [prompt, output].every(
      (count) => Number.isInteger(count) && count >= 0 && count <= MAX_TOKENS,
    );
    if (!(seconds >= 0 && seconds <= MAX_TRACE_S && areTokens)) {
      throw new DataError(
        `${place}: must be seconds,prompt tokens,output tokens, each 0 or more, tokens whole and at most ${MAX_TOKENS}`,
      );
    }
    return { atMs: seconds * 1_000, promptTokens: prompt, outputTokens: Math.max(output, 1) };
  });
  const sorted = rows.toSorted((a, b) => a.atMs - b.atMs);
  if (!((sorted.at(-1)?.atMs ?? 0) >= MIN_TRACE_MS)) {
    throw new DataError(`${file}: has no rows below its header, or none later than its first second`);
  }
  return sorted;
}
