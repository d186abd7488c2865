import type { LoadResult } from "./run-load.ts";
import { medianSample, spreadRatio } from "./statistics.ts";

/** What one repetition of one measure of one contestant showed. */
export interface Sample {
  /**
   * At saturation the number to trust; beside it CPU also pays for waking up. Infinite when no request ended
   * in time, which long streams on a slow gateway may not.
   */
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Share of one core, over all threads of the gateway. */
  readonly cpuRatio: number;
  /** Share of the gateway's core that other programs took, to a few percent; 0 when nothing is pinned. */
  readonly disturbedRatio: number;
  /** From the start that was due to the last byte. */
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
  /** From the upstream's write of a token to its receipt. */
  readonly tokenP50Us: number;
  readonly tokenP99Us: number;
  readonly idleRssMib: number;
  readonly peakRssMib: number;
  /** A second after the load. */
  readonly afterRssMib: number;
  readonly startMs: number;
  readonly errorCount: number;
}

/** All repetitions of one measure of one contestant. */
export interface Cell {
  /** Undefined when every repetition failed. */
  readonly median: Sample | undefined;
  readonly sampleCount: number;
  /** How far the repetitions lie apart in CPU per request (in start time for `startup`). */
  readonly spreadRatio: number;
  /** What went wrong, each text once. */
  readonly problems: readonly string[];
}

/** Results by measure, then by contestant. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, Cell>>;

/** Memory of a process around a load, in MiB, and how long it took to start, in ms. */
export interface ProcessFacts {
  readonly idleRssMib: number;
  readonly afterRssMib: number;
  readonly startMs: number;
}

/** Turns the generator's counters into rates. */
export function toSample(load: LoadResult, facts: ProcessFacts): Sample {
  const seconds = load.measuredMs / 1000;
  return {
    cpuUsPerRequest:
      load.requestCount === 0 ? Number.POSITIVE_INFINITY : (load.cpuMs * 1000) / load.requestCount,
    requestsPerSecond: load.requestCount / seconds,
    tokensPerSecond: load.tokenCount / seconds,
    cpuRatio: load.cpuMs / load.measuredMs,
    disturbedRatio: Math.max(0, load.coreBusyMs - load.cpuMs) / load.measuredMs,
    latencyP50Us: load.latencyP50Us,
    latencyP99Us: load.latencyP99Us,
    tokenP50Us: load.tokenP50Us,
    tokenP99Us: load.tokenP99Us,
    peakRssMib: load.peakRssKib / 1024,
    errorCount: load.errorCount,
    ...facts,
  };
}

/** What the spread is taken of: CPU per request, or CPU where none ended, or the start where there was no load. */
function readCost(sample: Sample): number {
  if (sample.cpuRatio === 0) return sample.startMs;
  return Number.isFinite(sample.cpuUsPerRequest) ? sample.cpuUsPerRequest : sample.cpuRatio;
}

/** Puts the repetitions together. */
export function toCell(samples: readonly Sample[], problems: readonly string[]): Cell {
  return {
    median: medianSample(samples),
    sampleCount: samples.length,
    spreadRatio: spreadRatio(samples.map(readCost)),
    problems: [...new Set(problems)],
  };
}
