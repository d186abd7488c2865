/** The report of `sluice test-models`. */

import { durationMs } from "@bufbuild/protobuf/wkt";
import { type ModelTest, ModelTestState } from "../../../gen/sluice/v1/model_service_pb.ts";
import { formatCost, formatDuration, formatNanoUsd, UNKNOWN } from "../number-text.ts";
import type { Column } from "../text-table.ts";

/** What a test of models found, in the order of the tests. */
export interface TestReport {
  readonly tests: readonly ModelTest[];
  readonly working: readonly ModelTest[];
  readonly failing: readonly ModelTest[];
  /** Working ones by time to first token. */
  readonly fastestToBegin: readonly ModelTest[];
  /** Working ones by tokens per second. */
  readonly fastestToWrite: readonly ModelTest[];
  /** Working ones whose test has a known cost. */
  readonly cheapest: readonly ModelTest[];
}

const TOP_COUNT = 3;

/** Sums up ended tests. */
export function makeTestReport(tests: readonly ModelTest[]): TestReport {
  const working = tests.filter(({ state }) => state === ModelTestState.AVAILABLE);
  return {
    tests,
    working,
    failing: tests.filter(({ state }) => state !== ModelTestState.AVAILABLE),
    fastestToBegin: takeLeast(working, readFirstTokenMs),
    fastestToWrite: takeLeast(working, ({ tokensPerSecond }) => tokensPerSecond && -tokensPerSecond),
    cheapest: takeLeast(working, ({ usage }) =>
      usage?.costNanoUsd === undefined ? undefined : Number(usage.costNanoUsd),
    ),
  };
}

/** The columns for terminals; Markdown has the same. */
export const TEST_COLUMNS: readonly Column<ModelTest>[] = [
  { heading: "MODEL", text: ({ model }) => model },
  {
    heading: "STATE",
    text: nameState,
    emphasis: ({ state }) => (state === ModelTestState.AVAILABLE ? "good" : "bad"),
  },
  {
    heading: "FIRST TOKEN",
    align: "right",
    text: (test) => formatDuration(test.timeToFirstTokenDuration),
  },
  { heading: "TOTAL", align: "right", text: (test) => formatDuration(test.totalDuration) },
  {
    heading: "TOKENS/S",
    align: "right",
    text: ({ tokensPerSecond }) => tokensPerSecond?.toFixed(1) ?? UNKNOWN,
  },
  { heading: "COST", align: "right", text: ({ usage }) => formatCost(usage) },
  { heading: "ERROR", text: ({ errorReason }) => (errorReason === "" ? UNKNOWN : errorReason) },
];

/** Sentences of advice; never empty. */
export function listRecommendations(report: TestReport): readonly string[] {
  const { tests, working, failing } = report;
  const lines = [`${working.length} of ${tests.length} models work.`];
  const [quickest] = report.fastestToBegin;
  const [pacing] = report.fastestToWrite;
  const [cheap] = report.cheapest;
  if (quickest !== undefined) {
    const first = formatDuration(quickest.timeToFirstTokenDuration);
    lines.push(`For conversations take ${quickest.model}: its first token came after ${first}.`);
  }
  if (pacing !== undefined) {
    lines.push(
      `For long answers take ${pacing.model}: ${pacing.tokensPerSecond?.toFixed(1)} tokens per second.`,
    );
  }
  if (cheap !== undefined) {
    lines.push(
      `For many requests take ${cheap.model}: the test cost ${formatNanoUsd(cheap.usage?.costNanoUsd)}.`,
    );
  }
  for (const { model, errorReason } of failing) lines.push(`Look at ${model}: ${errorReason}.`);
  if (working.some(({ simulated }) => simulated)) {
    lines.push("Simulated models answered: their figures say nothing of real ones.");
  }
  return lines;
}

/** The report as Markdown. */
export function renderMarkdown(report: TestReport): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const list = (tests: readonly ModelTest[]) => tests.map(({ model }) => `- \`${escapeCell(model)}\``);
  return [
    "# Test of models",
    "",
    row(TEST_COLUMNS.map(({ heading }) => heading)),
    row(TEST_COLUMNS.map(({ align }) => (align === "right" ? "---:" : "---"))),
    ...report.tests.map((test) => row(TEST_COLUMNS.map(({ text }) => escapeCell(text(test))))),
    "",
    "## Recommendations",
    "",
    ...listRecommendations(report).map((line) => `- ${escapeCell(line)}`),
    "",
    "## Working models",
    "",
    ...(report.working.length === 0 ? ["None."] : list(report.working)),
    "",
    "## Fastest models",
    "",
    ...(report.fastestToBegin.length === 0 ? ["None."] : list(report.fastestToBegin)),
    "",
  ].join("\n");
}

/** The report as JSON: durations in milliseconds, unknown figures null. */
export function renderJson(report: TestReport): string {
  const names = (tests: readonly ModelTest[]) => tests.map(({ model }) => model);
  return `${JSON.stringify(
    {
      tests: report.tests.map((test) => ({
        model: test.model,
        available: test.state === ModelTestState.AVAILABLE,
        deployment: test.deployment || null,
        simulated: test.simulated,
        timeToFirstTokenMs: readFirstTokenMs(test) ?? null,
        totalMs: test.totalDuration === undefined ? null : durationMs(test.totalDuration),
        tokensPerSecond: test.tokensPerSecond ?? null,
        outputTokens: test.usage?.outputTokenCount === undefined ? null : Number(test.usage.outputTokenCount),
        costNanoUsd: test.usage?.costNanoUsd === undefined ? null : Number(test.usage.costNanoUsd),
        costNanoCny: test.usage?.costNanoCny === undefined ? null : Number(test.usage.costNanoCny),
        attemptCount: test.attemptCount,
        errorReason: test.errorReason || null,
        errorMessage: test.errorMessage || null,
      })),
      working: names(report.working),
      fastest: names(report.fastestToBegin),
      recommendations: listRecommendations(report),
    },
    null,
    2,
  )}\n`;
}

function nameState({ state }: ModelTest): string {
  return state === ModelTestState.AVAILABLE ? "available" : "unavailable";
}

function readFirstTokenMs({ timeToFirstTokenDuration }: ModelTest): number | undefined {
  return timeToFirstTokenDuration === undefined ? undefined : durationMs(timeToFirstTokenDuration);
}

function takeLeast(
  tests: readonly ModelTest[],
  measure: (test: ModelTest) => number | undefined,
): readonly ModelTest[] {
  const measured = tests.flatMap((test) => {
    const value = measure(test);
    return value === undefined ? [] : [{ test, value }];
  });
  return measured
    .toSorted((a, b) => a.value - b.value)
    .slice(0, TOP_COUNT)
    .map(({ test }) => test);
}

/** Names come from the server: they must not break the table. */
function escapeCell(text: string): string {
  return text.replace(/[\p{Cc}]/gu, " ").replace(/[|`\\]/g, "\\$&");
}
