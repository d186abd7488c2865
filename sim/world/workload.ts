import type { Priority } from "../../src/domain/request.ts";
import { drawUnit, toLogNormal } from "./draws.ts";
import { DataError } from "./read-json.ts";
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

/** Makes the requests of a run: the same for the same arguments. A trace, where there is one, repeats until the end. */
export function makeWorkload(
  seed: number,
  scenario: Scenario,
  replicaCount: number,
  untilMs: number,
  trace: readonly TraceRow[] | undefined,
): readonly SimRequest[] {
  const requests: SimRequest[] = [];
  const add = (arrivalMs: number, promptTokens: number, outputTokens: number) => {
    const index = requests.length;
    const replica = Math.floor(drawUnit(seed, index, 0, 0, 1) * replicaCount);
    const priority = pickPriority(drawUnit(seed, index, 0, 0, 2));
    requests.push({ index, arrivalMs, replica, promptTokens, outputTokens, priority });
  };
  if (trace === undefined) generate(seed, scenario, untilMs, add);
  else repeatTrace(trace, untilMs, add);
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

function repeatTrace(trace: readonly TraceRow[], untilMs: number, add: Add): void {
  const lengthMs = (trace.at(-1)?.atMs ?? 0) + 1;
  for (let startMs = 0; startMs < untilMs; startMs += lengthMs) {
    for (const { atMs, promptTokens, outputTokens } of trace) {
      if (startMs + atMs < untilMs) add(startMs + atMs, promptTokens, outputTokens);
    }
  }
}

/** 20 % speed, 15 % quality, 25 % cost, 40 % balanced. */
function pickPriority(chance: number): Priority {
  if (chance < 0.2) return "speed";
  if (chance < 0.35) return "quality";
  return chance < 0.6 ? "cost" : "balanced";
}

/** Reads a trace: CSV with a header and the columns seconds, prompt tokens, output tokens. Throws `DataError`. */
export function parseTrace(text: string, file: string): readonly TraceRow[] {
  const rows = text
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line, index): TraceRow => {
      const [seconds, prompt, output] = line.split(",").map(Number);
      const valid = [seconds, prompt, output].every((value) => value !== undefined && value >= 0);
      if (!valid)
        throw new DataError(
          `${file}:${index + 2}: must be seconds,prompt tokens,output tokens, each 0 or more`,
        );
      return {
        atMs: (seconds ?? 0) * 1_000,
        promptTokens: prompt ?? 0,
        outputTokens: Math.max(output ?? 1, 1),
      };
    });
  if (rows.length === 0) throw new DataError(`${file}: has no rows below its header`);
  return rows.toSorted((a, b) => a.atMs - b.atMs);
}
