import type { Row } from "./summarize.ts";

/** A column of the tables: what is shown of a row, as text. */
export interface Column {
  readonly title: string;
  readonly show: (row: Row) => string;
}

type FigureName = keyof Row["figures"];

function mean(title: string, name: FigureName, digits: number, factor = 1): Column {
  return {
    title,
    show({ figures, neverCounts }) {
      if (neverCounts[name] !== undefined) return `never in ${neverCounts[name]}`;
      return figures[name] ? (figures[name].value * factor).toFixed(digits) : "–";
    },
  };
}

/** The columns of every table. */
export const COLUMNS: readonly Column[] = [
  { title: "policy", show: ({ title }) => title },
  mean("success in fault %", "faultSuccessRatio", 3, 100),
  {
    title: "95 % interval",
    show: ({ figures: { faultSuccessRatio: ratio } }) =>
      ratio ? `${(100 * ratio.low).toFixed(2)}–${(100 * ratio.high).toFixed(2)}` : "–",
  },
  mean("utility", "utility", 4),
  { title: "regret %", show: ({ regret }) => (regret ? (100 * regret.value).toFixed(1) : "–") },
  mean("p95 s", "faultP95TotalMs", 2, 0.001),
  mean("p99 first token s", "faultP99FirstTokenMs", 2, 0.001),
  mean("429 /100", "limitedPer100", 2),
  mean("errors /100", "errorsPer100", 2),
  mean("hangs /100", "hangsPer100", 2),
  mean("aborted /100", "abortedPer100", 2),
  mean("wasted in fault /100", "faultWastedPer100", 2),
  mean("calls to bad", "badCallCount", 0),
  mean("to bad after restart", "restartedBadCallCount", 1),
  mean("detect s", "detectMs", 1, 0.001),
  mean("$ per 1k answers", "usdPerSuccess", 3, 1_000),
  mean("fairness", "fairness", 3),
];
