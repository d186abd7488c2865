import type { Interval } from "./bootstrap.ts";
import type { Measures } from "./measure.ts";
import type { Row, Table } from "./summarize.ts";

/** A goal in the tight regime; the worse end of the 95 % interval must meet it. */
interface Goal {
  readonly scenario: string;
  readonly text: string;
  /** `tables`: all of the regime. */
  readonly figure: (row: Row, table: Table, tables: readonly Table[]) => Interval | undefined;
  readonly limit: number;
  readonly sense: "at least" | "at most";
  readonly unit: "%" | "ms" | "";
  readonly isRegret?: true;
  /** What must come to pass in every run: one in which it never does misses the goal. */
  readonly awaits?: keyof Measures;
}

/** `yardstick beaten`: the goal is a distance to O1, and O1 itself was beaten, so it proves nothing. */
export type Verdict = "met" | "missed" | "not measured" | "yardstick beaten";

/** A goal and what came of it. */
export interface GoalResult {
  readonly scenario: string;
  readonly text: string;
  readonly figure: Interval | undefined;
  /** In how many runs that which is waited for never came. */
  readonly neverCount: number;
  readonly unit: Goal["unit"];
  readonly verdict: Verdict;
}

const figureOf =
  (name: keyof Measures, factor = 1) =>
  (row: Row) => {
    const interval = row.figures[name];
    if (interval === undefined) return undefined;
    return { value: interval.value * factor, low: interval.low * factor, high: interval.high * factor };
  };

const percent = (interval: Interval | undefined) =>
  interval && { value: 100 * interval.value, low: 100 * interval.low, high: 100 * interval.high };

/** How a figure stands to the same one of another contestant; the worse end over the other's mean. */
const against =
  (name: keyof Measures, other: string) =>
  (row: Row, { rows }: Table) => {
    const base = rows.find(({ contestant }) => contestant === other)?.figures[name]?.value;
    const own = row.figures[name];
    if (base === undefined || own === undefined || !(base > 0)) return undefined;
    return { value: own.value / base, low: own.low / base, high: own.high / base };
  };

/** How a figure stands to our own in another scenario; the worse end over the other's mean. */
const againstScenario =
  (name: keyof Measures, other: string) => (row: Row, _: Table, tables: readonly Table[]) => {
    const table = tables.find(({ scenario }) => scenario === other);
    const base = table?.rows.find(({ contestant }) => contestant === row.contestant)?.figures[name]?.value;
    const own = row.figures[name];
    if (base === undefined || own === undefined || !(base > 0)) return undefined;
    return { value: own.value / base, low: own.low / base, high: own.high / base };
  };

const wastedPer100 = (row: Row): Interval | undefined => row.figures.faultWastedPer100;

/** All but those in which one replica is wronged on purpose. */
const FAIR_SCENARIOS: readonly string[] = "S0 S1 S2 S3 S4 S5 S6 S7 S8 S9 S10 S13 S14 S15H S16 S17 S18".split(
  " ",
);

const GOALS: readonly Goal[] = [
  ...["S1", "S2", "S5", "S6"].map(
    (scenario): Goal => ({
      scenario,
      text: "success inside the fault window at least 99.95 %",
      figure: figureOf("faultSuccessRatio", 100),
      limit: 99.95,
      sense: "at least",
      unit: "%",
    }),
  ),
  {
    scenario: "S1",
    text: "suspect fleet-wide within 2 s",
    figure: figureOf("fleetSuspectMs"),
    awaits: "fleetSuspectMs",
    limit: 2_000,
    sense: "at most",
    unit: "ms",
  },
  {
    scenario: "S2",
    text: "detection (suspect fleet-wide) within 4 s, hedging on",
    figure: figureOf("fleetSuspectMs"),
    awaits: "fleetSuspectMs",
    limit: 4_000,
    sense: "at most",
    unit: "ms",
  },
  {
    scenario: "S2",
    text: "p99 first token inside the fault window at most 3 s",
    figure: figureOf("faultP99FirstTokenMs"),
    limit: 3_000,
    sense: "at most",
    unit: "ms",
  },
  {
    scenario: "S3",
    text: "wasted calls per 100 in the fault window at most 0.8",
    figure: wastedPer100,
    limit: 0.8,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S5",
    text: "wasted calls per 100 in the fault window at most 0.5",
    figure: wastedPer100,
    limit: 0.5,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S0",
    text: "normalised regret at most 2 %",
    figure: (row) => percent(row.regret),
    isRegret: true,
    limit: 2,
    sense: "at most",
    unit: "%",
  },
  {
    scenario: "S10",
    text: "normalised regret at most 4 %",
    figure: (row) => percent(row.regret),
    isRegret: true,
    limit: 4,
    sense: "at most",
    unit: "%",
  },
  {
    scenario: "S4",
    text: "p95 inside the fault window at most 1.05 times the oracle's",
    figure: against("faultP95TotalMs", "oracle"),
    limit: 1.05,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S7",
    text: "utility no worse than the plain chain's with its breaker",
    figure: against("utility", "chain"),
    limit: 1,
    sense: "at least",
    unit: "",
  },
  {
    scenario: "S7",
    text: "at most 4 changes of state per minute and replica",
    figure: figureOf("stateChangesPerMinute"),
    limit: 4,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S1",
    text: "calls to the failing provider at most 110",
    figure: figureOf("badCallCount"),
    limit: 110,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S14",
    text: "calls of a restarted replica, other than probes, to what its peers hold open: 0",
    figure: figureOf("restartedBadCallCount"),
    limit: 0,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S14",
    text: "utility of a restarted replica after 5 s at least 0.99 times the others'",
    figure: figureOf("restartedUtilityRatio"),
    limit: 0.99,
    sense: "at least",
    unit: "",
  },
  {
    scenario: "S15",
    text: "all replicas know the same within 24 s of the network's healing",
    figure: figureOf("agreementMs"),
    awaits: "agreementMs",
    limit: 24_000,
    sense: "at most",
    unit: "ms",
  },
  {
    scenario: "S15",
    text: "utility at least 0.9 times that on a good network (S1)",
    figure: againstScenario("utility", "S1"),
    limit: 0.9,
    sense: "at least",
    unit: "",
  },
  {
    scenario: "S15",
    text: "p95 at most 1.1 times that on a good network (S1)",
    figure: againstScenario("p95TotalMs", "S1"),
    limit: 1.1,
    sense: "at most",
    unit: "",
  },
  {
    scenario: "S15",
    text: "utility of the other replicas at least 0.98 times that without the lying one (S15H)",
    figure: againstScenario("othersUtility", "S15H"),
    limit: 0.98,
    sense: "at least",
    unit: "",
  },
  ...FAIR_SCENARIOS.map(
    (scenario): Goal => ({
      scenario,
      text: "fairness between replicas at most 1.02",
      figure: figureOf("fairness"),
      limit: 1.02,
      sense: "at most",
      unit: "",
    }),
  ),
];

/** Judges the goals by the tight regime's tables. */
export function judgeGoals(tables: readonly Table[]): readonly GoalResult[] {
  return GOALS.map(({ scenario, text, figure: read, awaits, limit, sense, unit, isRegret = false }) => {
    const tight = tables.filter(({ regime }) => regime === "tight");
    const table = tight.find((each) => each.scenario === scenario);
    const row = table?.rows.find(({ kind }) => kind === "ours");
    const figure = table && row ? read(row, table, tight) : undefined;
    const neverCount = (awaits && row?.neverCounts[awaits]) ?? 0;
    const verdict = neverCount > 0 ? "missed" : judge(figure, sense, limit, isRegret);
    return { scenario, text, figure, neverCount, unit, verdict };
  });
}

function judge(
  figure: Interval | undefined,
  sense: Goal["sense"],
  limit: number,
  isRegret: boolean,
): Verdict {
  if (figure === undefined) return "not measured";
  if (isRegret && figure.value < 0) return "yardstick beaten";
  return (sense === "at least" ? figure.low >= limit : figure.high <= limit) ? "met" : "missed";
}

/** Where somebody has a better utility than O1, beyond the interval: there it is no yardstick. */
export function listBeatenOracle(tables: readonly Table[]): readonly string[] {
  return tables.flatMap(({ scenario, regime, rows }) =>
    rows
      .filter(({ kind, regret }) => kind !== "oracle" && regret !== undefined && regret.high < 0)
      .map(
        ({ title, regret }) =>
          `${scenario} ${regime}: ${title}, regret ${percent(regret)?.value.toFixed(1)} %`,
      ),
  );
}

/** Where a baseline has a better utility than ours, beyond the interval of the paired difference. */
export function listLosses(tables: readonly Table[]): readonly string[] {
  return tables.flatMap(({ scenario, regime, rows }) =>
    rows
      .filter(({ kind, behind }) => kind === "baseline" && behind !== undefined && behind.high < 0)
      .map(
        ({ title, behind }) =>
          `${scenario} ${regime}: ${title} is better by ${(-(behind?.value ?? 0)).toFixed(4)} utility`,
      ),
  );
}
