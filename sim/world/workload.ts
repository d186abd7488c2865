import type { Priority } from "../../src/domain/request.ts";
import { drawUnit, toLogNormal } from "./draws.ts";
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
/** Fitted to that trace's lengths: means and deviations of the logarithms, and its longest. */
const PROMPT = { median: 760, sigma: 0.985, max: 14_050 };
const OUTPUT = { median: 151, sigma: 0.859, max: 1_000 };

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
  let atMs = 0;
  for (let index = 0; ; index++) {
    const draw = (salt: number) => drawUnit(seed, index, 1, 0, salt);
    const inBurst = burst.everyMs > 0 && atMs % burst.everyMs < burst.lengthMs;
    atMs += (-Math.log(1 - draw(3)) * 1_000) / (RATE_PER_S * (inBurst ? burst.factor : 1));
    if (atMs >= untilMs) return;
    add(atMs, drawLength(PROMPT, draw(4), draw(5)), drawLength(OUTPUT, draw(6), draw(7)));
  }
}

function drawLength({ median, sigma, max }: typeof PROMPT, first: number, second: number): number {
  return Math.min(Math.max(Math.round(median * toLogNormal(first, second, sigma)), 1), max);
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
