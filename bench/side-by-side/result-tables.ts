import type { Contestant } from "./contestants.ts";
import { type Goal, judgeGoals } from "./goals.ts";
import { type Measure, offeredTokensPerSecond, STARTUP } from "./measures.ts";
import { EMPTY_NODE } from "./run-measures.ts";
import type { Cell, Results, Sample } from "./sample.ts";
import { ratio } from "./statistics.ts";
import type { Table } from "./table.ts";

interface Column {
  readonly head: string;
  readonly text: (sample: Sample, cell: Cell, base: (name: string) => Sample | undefined) => string;
}

/** Below this a closed loop did not keep the gateway's core busy, so CPU also pays for waking up. */
const SATURATED_RATIO = 0.95;
/** Below this share of the offered tokens the gateway falls behind. */
const KEEPS_UP_RATIO = 0.99;

const count = (value: number): string => Math.round(value).toLocaleString("en");
const us = (value: number): string => (value < 100 ? value.toFixed(1) : count(value));
const ms = (value: number): string => (value / 1000).toFixed(2);
const mib = (value: number): string => value.toFixed(0);
const times = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(2));
const percent = (value: number): string => `${Math.round(value * 100)} %`;
/** CPU per request of two samples, the second as the base. */
const cpuRatio = (sample: Sample, base: Sample | undefined): string =>
  times(ratio(sample.cpuUsPerRequest, base?.cpuUsPerRequest));

const SPREAD: Column = { head: "spread", text: (_, cell) => percent(cell.spreadRatio) };
const DISTURBED: Column = { head: "others", text: (sample) => percent(sample.disturbedRatio) };
const CORE: Column = {
  head: "core used",
  text: (sample) => `${percent(sample.cpuRatio)}${sample.cpuRatio < SATURATED_RATIO ? " *" : ""}`,
};
const OVER: readonly Column[] = [
  { head: "CPU x minimal", text: (sample, _, base) => cpuRatio(sample, base("minimal")) },
  { head: "CPU x Portkey", text: (sample, _, base) => cpuRatio(sample, base("portkey")) },
];
const MEMORY: readonly Column[] = [
  { head: "idle MiB", text: (sample) => mib(sample.idleRssMib) },
  { head: "loaded MiB", text: (sample) => mib(sample.peakRssMib) },
  { head: "after MiB", text: (sample) => mib(sample.afterRssMib) },
];

function columnsFor(measure: Measure): readonly Column[] {
  if (measure.requestsPerSecond > 0) {
    return [
      { head: "p50 ms", text: (sample) => ms(sample.latencyP50Us) },
      { head: "p99 ms", text: (sample) => ms(sample.latencyP99Us) },
      { head: "added p50", text: (sample, _, base) => added(sample, base("direct"), "latencyP50Us") },
      { head: "added p99", text: (sample, _, base) => added(sample, base("direct"), "latencyP99Us") },
      { head: "CPU us/request", text: (sample) => us(sample.cpuUsPerRequest) },
      DISTURBED,
    ];
  }
  if (measure.upstream.gapUs > 0) {
    const offered = offeredTokensPerSecond(measure);
    return [
      { head: "tokens/s", text: (sample) => count(sample.tokensPerSecond) },
      {
        head: "backlog",
        text: (sample) => (sample.tokensPerSecond < offered * KEEPS_UP_RATIO ? "YES" : "no"),
      },
      { head: "token p50 ms", text: (sample) => ms(sample.tokenP50Us) },
      { head: "token p99 ms", text: (sample) => ms(sample.tokenP99Us) },
      { head: "core used", text: (sample) => percent(sample.cpuRatio) },
      DISTURBED,
      ...MEMORY,
      SPREAD,
    ];
  }
  const rates: Column[] = measure.stream
    ? [
        { head: "tokens/s per core", text: (sample) => count(sample.tokensPerSecond / sample.cpuRatio) },
        { head: "CPU us/stream", text: (sample) => us(sample.cpuUsPerRequest) },
        { head: "tokens/s", text: (sample) => count(sample.tokensPerSecond) },
      ]
    : [
        { head: "CPU us/request", text: (sample) => us(sample.cpuUsPerRequest) },
        { head: "requests/s per core", text: (sample) => count(1_000_000 / sample.cpuUsPerRequest) },
        { head: "requests/s", text: (sample) => count(sample.requestsPerSecond) },
      ];
  return [...rates, ...OVER, CORE, DISTURBED, ...MEMORY, SPREAD];
}

function added(sample: Sample, base: Sample | undefined, member: "latencyP50Us" | "latencyP99Us"): string {
  return base === undefined ? "" : ms(sample[member] - base[member]);
}

/** One table per measure. A contestant without a result keeps its row, with dashes. */
export function renderMeasure(measure: Measure, contestants: readonly Contestant[], results: Results): Table {
  const cells = results.get(measure.name);
  const columns = columnsFor(measure);
  const base = (name: string): Sample | undefined => cells?.get(name)?.median;
  const rows = contestants
    .filter((contestant) => cells?.has(contestant.name))
    .map((contestant) => {
      const cell = cells?.get(contestant.name);
      const sample = cell?.median;
      const texts = columns.map((column) => (cell && sample ? column.text(sample, cell, base) : "-"));
      return [contestant.title, ...texts];
    });
  return {
    title: measure.title,
    head: ["", ...columns.map((column) => column.head)],
    rows,
    content: "numbers",
  };
}

/** Time to listening, over that of a Node that does nothing. */
export function renderStartup(contestants: readonly Contestant[], results: Results): Table {
  const cells = results.get(STARTUP);
  const emptyMs = cells?.get(EMPTY_NODE)?.median?.startMs;
  const names = [
    { name: EMPTY_NODE, title: EMPTY_NODE },
    ...contestants.filter((contestant) => cells?.has(contestant.name)),
  ];
  const rows = names.map(({ name, title }) => {
    const cell = cells?.get(name);
    const startMs = cell?.median?.startMs;
    if (cell === undefined || startMs === undefined) return [title, "-", "-", "-"];
    return [title, startMs.toFixed(0), times(ratio(startMs, emptyMs)), percent(cell.spreadRatio)];
  });
  return { title: "Start to listening", head: ["", "ms", "x node -e 0", "spread"], rows, content: "numbers" };
}

/** The goals with their verdicts. */
export function renderGoals(results: Results): Table {
  const goals: Goal[] = judgeGoals(results);
  return {
    title: "Goals",
    content: "words",
    head: ["goal", "must", "moonshot", "measured", "verdict"],
    rows: goals.map((goal) => [
      `${goal.goalNumber}. ${goal.goal}`,
      goal.must,
      goal.moonshot,
      goal.measured,
      goal.verdict === "missed" ? "MISSED" : goal.verdict,
    ]),
  };
}

/** Above this, other programs change the numbers: latencies most, CPU per request less. */
const QUIET_RATIO = 0.15;

/** How many cells were disturbed by other programs on the gateway's core, of how many. */
export function countDisturbed(results: Results): {
  readonly disturbedCount: number;
  readonly cellCount: number;
} {
  const samples = [...results.values()].flatMap((cells) =>
    [...cells.values()].flatMap((cell) => cell.median ?? []),
  );
  const disturbed = samples.filter((sample) => sample.disturbedRatio > QUIET_RATIO);
  return { disturbedCount: disturbed.length, cellCount: samples.length };
}

/** Every problem with the measure and the contestant it belongs to. */
export function listProblems(results: Results): string[] {
  return [...results].flatMap(([measure, cells]) =>
    [...cells].flatMap(([name, cell]) => cell.problems.map((problem) => `${measure}, ${name}: ${problem}`)),
  );
}
