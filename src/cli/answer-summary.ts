/** Who answered, at what cost and after which attempts, in words. */

import type { DescEnum } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  type Adjustment,
  AdjustmentReasonSchema,
  type Attempt,
  FinishReason,
  FinishReasonSchema,
  OutcomeSchema,
  type Usage,
} from "../../gen/sluice/v1/generation_pb.ts";
import { formatCost, formatDuration, UNKNOWN } from "./number-text.ts";
import { printable } from "./printable-text.ts";

/** What GenerateResponse and Finished have in common. */
export interface AnswerFacts {
  readonly model: string;
  readonly deployment: string;
  readonly provider: string;
  readonly responseModel: string;
  readonly finishReason: FinishReason;
  readonly rawFinishReason: string;
  readonly usage?: Usage | undefined;
  readonly timeToFirstTokenDuration?: Duration | undefined;
  readonly totalDuration?: Duration | undefined;
  readonly attempts: readonly Attempt[];
  readonly adjustments: readonly Adjustment[];
}

/** The lines of `--verbose`. */
export function formatAnswer(facts: AnswerFacts, requestId: string): string[] {
  const upstream = facts.responseModel === "" ? "" : `, which calls it ${facts.responseModel}`;
  const raw = facts.rawFinishReason === "" ? "" : ` (${facts.rawFinishReason})`;
  return [
    `model: ${printable(`${facts.model} by ${facts.deployment} of ${facts.provider}${upstream}`)}`,
    `finish: ${nameEnumValue(FinishReasonSchema, facts.finishReason)}${printable(raw)}`,
    `usage: ${formatUsage(facts.usage)}`,
    `time: ${formatDuration(facts.totalDuration)}, first token after ${formatDuration(facts.timeToFirstTokenDuration)}`,
    ...formatAttempts(facts.attempts),
    ...facts.adjustments.map(formatAdjustment),
    `request id: ${printable(requestId)}`,
  ];
}

function formatAdjustment({ field, asked, used, reason }: Adjustment): string {
  const what = used === "" ? "left out" : `sent as ${used}`;
  return printable(
    `not as asked: ${field} ${asked}, ${what} (${nameEnumValue(AdjustmentReasonSchema, reason)})`,
  );
}

/** One line per attempt. */
export function formatAttempts(attempts: readonly Attempt[]): string[] {
  return attempts.map((attempt) => {
    const facts = [
      nameEnumValue(OutcomeSchema, attempt.outcome),
      ...(attempt.httpStatus === undefined ? [] : [`HTTP ${attempt.httpStatus}`]),
      ...(attempt.providerCode === "" ? [] : [`code ${attempt.providerCode}`]),
      formatDuration(attempt.totalDuration),
    ];
    return `attempt ${attempt.attemptNumber}: ${printable(`${attempt.deployment} ${facts.join(", ")}`)}`;
  });
}

/** Tokens and cost; what the provider did not tell is a dash. */
export function formatUsage(usage: Usage | undefined): string {
  const cached = usage?.cachedInputTokenCount;
  const reasoning = usage?.reasoningTokenCount;
  return [
    `${usage?.inputTokenCount ?? UNKNOWN} tokens in${cached === undefined ? "" : ` (${cached} cached)`}`,
    `${usage?.outputTokenCount ?? UNKNOWN} out${reasoning === undefined ? "" : ` (${reasoning} reasoning)`}`,
    `cost ${formatCost(usage)}`,
  ].join(", ");
}

/** What a reader must know about an answer that is whole by the protocol but may not be by its content. */
export function describeEarlyFinish(reason: FinishReason): string | undefined {
  if (reason === FinishReason.LENGTH) return "the answer was cut at the limit on tokens";
  if (reason === FinishReason.CONTENT_FILTER) return "the provider withheld the rest of the answer";
  return undefined;
}

/** The value's name in small letters without its prefix; a value newer than this program by its number. */
export function nameEnumValue(schema: DescEnum, value: number): string {
  return schema.value[value]?.localName.toLowerCase() ?? String(value);
}
