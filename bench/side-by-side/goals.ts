/**
 * The performance goals, each a "must" and a "moonshot". They are ratios inside one run
 * wherever a ratio makes sense: absolute numbers change with the machine.
 */

import { EMPTY_NODE } from "./run-measures.ts";
import type { Results, Sample } from "./sample.ts";
import { ratio } from "./statistics.ts";

/** `met` is the must; `moonshot` includes it. */
export type Verdict = "moonshot" | "met" | "missed" | "not measured";

/** One goal and what became of it in a run. */
export interface Goal {
  readonly goalNumber: number;
  readonly goal: string;
  readonly must: string;
  readonly moonshot: string;
  /** What this run showed, or why it could not. */
  readonly measured: string;
  readonly verdict: Verdict;
}

interface Row {
  readonly goal: string;
  readonly must: string;
  readonly moonshot: string;
  /** Undefined where the run lacks a part. */
  judge(
    results: Results,
  ): { readonly measured: string; readonly must: boolean; readonly moonshot: boolean } | undefined;
  /** Why no run can tell yet. */
  readonly missing?: string;
}

const SLUICE = "sluice";

function find(results: Results, measure: string, contestant: string): Sample | undefined {
  return results.get(measure)?.get(contestant)?.median;
}

function cpuUs(results: Results, contestant: string): number | undefined {
  return find(results, "unary", contestant)?.cpuUsPerRequest;
}

function atMost(value: number | undefined, must: number, moonshot: number, unit: (value: number) => string) {
  if (value === undefined) return undefined;
  return { measured: unit(value), must: value <= must, moonshot: value <= moonshot };
}

function atLeast(value: number | undefined, must: number, moonshot: number, unit: (value: number) => string) {
  if (value === undefined) return undefined;
  return { measured: unit(value), must: value >= must, moonshot: value >= moonshot };
}

const times = (value: number): string => `${value.toFixed(2)}x`;
const milliseconds = (us: number): string => `${(us / 1000).toFixed(2)} ms`;
const thousands = (value: number): string => `${(value / 1000).toFixed(1)}k`;
const percent = (share: number): string => `${Math.round(share * 100)} % of a core`;

/** Tokens per second of one core, from the CPU a token takes: a run that is not saturated counts alike. */
function tokensPerCoreSecond(sample: Sample | undefined): number | undefined {
  return ratio(sample?.tokensPerSecond, sample?.cpuRatio);
}

function judgeAddedLatency(results: Results) {
  const sluice = find(results, "latency", SLUICE);
  const direct = find(results, "latency", "direct");
  if (!sluice || !direct) return undefined;
  const p50 = sluice.latencyP50Us - direct.latencyP50Us;
  const p99 = sluice.latencyP99Us - direct.latencyP99Us;
  return {
    measured: `p50 +${milliseconds(p50)}, p99 +${milliseconds(p99)}`,
    must: p50 <= 600 && p99 <= 4_000,
    moonshot: p50 <= 400 && p99 <= 2_000,
  };
}

function judgeBurst(results: Results) {
  const sluice = tokensPerCoreSecond(find(results, "stream", SLUICE));
  const overPortkey = ratio(sluice, tokensPerCoreSecond(find(results, "stream", "portkey")));
  if (sluice === undefined || overPortkey === undefined) return undefined;
  return {
    measured: `${thousands(sluice)} tokens/s, ${times(overPortkey)}`,
    must: sluice >= 250_000 && overPortkey >= 8,
    moonshot: sluice >= 450_000 && overPortkey >= 14,
  };
}

function judgePaced(results: Results, streamCount: number) {
  const sample = find(results, `paced${streamCount}`, SLUICE);
  if (!sample) return undefined;
  const keepsUp = sample.tokensPerSecond >= streamCount * 49.5;
  const rate = `${thousands(sample.tokensPerSecond)} tokens/s`;
  const latency = `p50 ${milliseconds(sample.tokenP50Us)}, p99 ${milliseconds(sample.tokenP99Us)}`;
  const measured = `${keepsUp ? "no backlog" : "backlog"} (${rate}), ${latency}, ${percent(sample.cpuRatio)}`;
  const p50Ok = sample.tokenP50Us <= 300;
  return streamCount === 500
    ? {
        measured,
        must: keepsUp && p50Ok && sample.tokenP99Us <= 10_000,
        moonshot: keepsUp && p50Ok && sample.tokenP99Us <= 4_000 && sample.cpuRatio <= 0.75,
      }
    : { measured, must: keepsUp, moonshot: keepsUp && sample.tokenP99Us <= 10_000 };
}

function judgeMemory(results: Results) {
  const unary = find(results, "unary", SLUICE);
  const paced = find(results, "paced1000", SLUICE);
  if (!unary || !paced) return undefined;
  const values = [unary.idleRssMib, unary.afterRssMib, paced.peakRssMib];
  const within = (limits: readonly number[]): boolean =>
    values.every((value, index) => value <= (limits[index] ?? Number.POSITIVE_INFINITY));
  return {
    measured: `${values.map((value) => value.toFixed(0)).join(" / ")} MB`,
    must: within([80, 170, 180]),
    moonshot: within([65, 135, 145]),
  };
}

/** What is shipped is the compiled form; the sources, where nothing else is there, also pay for stripping types. */
function judgeStartup(results: Results) {
  const compiledMs = find(results, "startup", "sluice-compiled")?.startMs;
  const form = compiledMs === undefined ? "from sources" : "compiled";
  const startMs = compiledMs ?? find(results, "startup", SLUICE)?.startMs;
  const emptyMs = find(results, "startup", EMPTY_NODE)?.startMs;
  return atMost(ratio(startMs, emptyMs), 3, 2, (value) => `${times(value)} (${form})`);
}

const ROWS: readonly Row[] = [
  {
    goal: "CPU per unary request over the minimal proxy",
    must: "<= 1.25x",
    moonshot: "<= 1.10x",
    judge: (results) => atMost(ratio(cpuUs(results, SLUICE), cpuUs(results, "minimal")), 1.25, 1.1, times),
  },
  {
    goal: "CPU per unary request over a node:http2 hello",
    must: "<= 7x",
    moonshot: "<= 5.5x",
    judge: (results) => atMost(ratio(cpuUs(results, SLUICE), cpuUs(results, "hello")), 7, 5.5, times),
  },
  {
    goal: "Unary requests/s per core over Portkey, same Node",
    must: ">= 8x",
    moonshot: ">= 12x",
    judge: (results) => atLeast(ratio(cpuUs(results, "portkey"), cpuUs(results, SLUICE)), 8, 12, times),
  },
  {
    goal: "Unary requests/s per core over connectNodeAdapter + undici",
    must: ">= 3x",
    moonshot: ">= 4x",
    judge: (results) => atLeast(ratio(cpuUs(results, "connect"), cpuUs(results, SLUICE)), 3, 4, times),
  },
  {
    goal: "Unary requests/s per core (a guide: depends on the machine)",
    must: ">= 9k",
    moonshot: ">= 11k",
    judge: (results) => atLeast(ratio(1_000_000, cpuUs(results, SLUICE)), 9_000, 11_000, thousands),
  },
  {
    goal: "Added latency at 200 requests/s over direct",
    must: "p50 <= 0.6 ms, p99 <= 4 ms",
    moonshot: "p50 <= 0.4 ms, p99 <= 2 ms",
    judge: judgeAddedLatency,
  },
  {
    goal: "Burst streaming, tokens/s per core, and over Portkey",
    must: ">= 250k and >= 8x",
    moonshot: ">= 450k and >= 14x",
    judge: judgeBurst,
  },
  {
    goal: "500 streams of 50 tokens/s on one core",
    must: "no backlog, p50 <= 0.3 ms, p99 <= 10 ms",
    moonshot: "p99 <= 4 ms, <= 75 % of a core",
    judge: (results) => judgePaced(results, 500),
  },
  {
    goal: "1,000 streams of 50 tokens/s on one core",
    must: "no backlog (>= 49.5k tokens/s)",
    moonshot: "p99 <= 10 ms",
    judge: (results) => judgePaced(results, 1000),
  },
  {
    goal: "Memory: idle / after unary load / with 1,000 streams",
    must: "80 / 170 / 180 MB",
    moonshot: "65 / 135 / 145 MB",
    judge: judgeMemory,
  },
  {
    goal: "Memory per held request",
    must: "<= 30 KB",
    moonshot: "<= 18 KB",
    judge: () => undefined,
    missing: "this benchmark has no measure for it yet",
  },
  {
    goal: "Allocation per unary request",
    must: "<= 35 KB",
    moonshot: "<= 22 KB",
    judge: () => undefined,
    missing: "this benchmark has no measure for it yet",
  },
  {
    goal: "Start to listening over `node -e 0`",
    must: "<= 3x",
    moonshot: "<= 2x",
    judge: judgeStartup,
  },
  {
    goal: "Two workers over one, on two cores",
    must: ">= 1.4x",
    moonshot: ">= 1.55x",
    judge: () => undefined,
    missing: "Sluice has no workers yet",
  },
];

/** Judges every goal. A goal is met only when all its parts are; what the run lacks is said, never guessed. */
export function judgeGoals(results: Results): Goal[] {
  return ROWS.map((row, index) => {
    const { goal, must, moonshot } = row;
    const judged = row.judge(results);
    const head = { goalNumber: index + 1, goal, must, moonshot };
    if (judged === undefined) {
      return { ...head, measured: row.missing ?? "the run lacks a part of it", verdict: "not measured" };
    }
    const verdict = !judged.must ? "missed" : judged.moonshot ? "moonshot" : "met";
    return { ...head, measured: judged.measured, verdict };
  });
}
