/** How candidates were judged, as lines for the terminal. */

import {
  type CandidateJudgement,
  type CandidateScore,
  type Decision,
  TaskType,
  TaskTypeSchema,
} from "../../gen/sluice/v1/generation_pb.ts";
import { nameEnumValue } from "./answer-summary.ts";
import type { Paint } from "./colour.ts";
import { formatDuration, formatNanoUsd, formatRatio, UNKNOWN } from "./number-text.ts";
import { printable } from "./printable-text.ts";
import { type Column, renderTable } from "./text-table.ts";

/** The columns of a score, for rows of any kind that have one. */
export function makeScoreColumns<Row>(
  readScore: (row: Row) => CandidateScore | undefined,
): readonly Column<Row>[] {
  const column = (heading: string, text: (score: CandidateScore) => string): Column<Row> => ({
    heading,
    align: "right",
    text(row) {
      const score = readScore(row);
      return score === undefined ? UNKNOWN : text(score);
    },
  });
  return [
    column("SCORE", ({ score }) => score.toFixed(3)),
    column("SUCCESS", ({ successRatio }) => formatRatio(successRatio)),
    column("QUALITY", ({ quality }) => quality.toFixed(2)),
    column("TIME", ({ expectedDuration }) => formatDuration(expectedDuration)),
    column("COST", ({ expectedCostNanoUsd }) => formatNanoUsd(expectedCostNanoUsd)),
    column("HEADROOM", ({ headroomRatio }) => formatRatio(headroomRatio)),
  ];
}

const COLUMNS: readonly Column<CandidateJudgement>[] = [
  { heading: "CANDIDATE", text: ({ deployment }) => deployment },
  {
    heading: "VERDICT",
    text: describeVerdict,
    emphasis: ({ chosen, removedBy }) => (chosen ? "good" : removedBy === "" ? "plain" : "doubtful"),
  },
  ...makeScoreColumns<CandidateJudgement>(({ score }) => score),
  { heading: "MODEL", text: ({ model }) => model },
  { heading: "TIER", text: ({ tier }) => tier },
];

/** A line about the decision, then one row per candidate; no line of the table is wider than `width` columns. */
export function renderDecision(decision: Decision, width: number, paint: Paint): string[] {
  const { attemptNumber, target, taskType, relaxed, candidates } = decision;
  const facts = [
    attemptNumber === 0 ? "no attempt" : `attempt ${attemptNumber}`,
    `target ${target}`,
    ...(taskType === TaskType.UNSPECIFIED ? [] : [`task ${nameEnumValue(TaskTypeSchema, taskType)}`]),
    ...(relaxed.length === 0 ? [] : [`given up: ${relaxed.join(", ")}`]),
  ];
  return [printable(facts.join(", ")), ...renderTable(COLUMNS, candidates, width, paint)];
}

function describeVerdict({ chosen, removedBy }: CandidateJudgement): string {
  if (chosen) return "chosen";
  return removedBy === "" ? "eligible" : `not: ${removedBy}`;
}
