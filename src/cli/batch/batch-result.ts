/** One line of a batch's output. */

import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { AdjustmentSchema, FinishReasonSchema, UsageSchema } from "../../../gen/sluice/v1/generation_pb.ts";
import type { GenerateResponse } from "../../../gen/sluice/v1/router_service_pb.ts";
import { nameEnumValue } from "../answer-summary.ts";
import { type CallFailure, chooseExit } from "../call-failure.ts";

/** What became of one line of the input. The names are those of the file. */
export interface BatchResult {
  /** The line's number in the input, from 1. */
  readonly line: number;
  /** The first 16 hex digits of the SHA-256 of the line, so that a resumed batch knows what was answered. */
  readonly input: string;
  readonly custom_id: string | null;
  readonly answer: BatchAnswer | null;
  readonly error: BatchError | null;
}

export interface BatchAnswer {
  readonly text: string;
  readonly finish_reason: string;
  readonly model: string;
  readonly deployment: string;
  readonly simulated: boolean;
  readonly request_id: string;
  readonly usage: JsonValue;
  /** What the model did not get as it was asked, as in `GenerateResponse.adjustments`. */
  readonly adjustments: readonly JsonValue[];
}

export interface BatchError {
  /** The gRPC code by name; INVALID_ARGUMENT also for a line that was not asked at all. */
  readonly code: string;
  /** docs/errors.md; empty when there is none. */
  readonly reason: string;
  readonly message: string;
  /** Whether the same line may succeed later; a resumed batch asks it again. */
  readonly may_succeed_later: boolean;
}

/** The answer as it is written. */
export function describeAnswer(answer: GenerateResponse): BatchAnswer {
  return {
    text: answer.text,
    finish_reason: nameEnumValue(FinishReasonSchema, answer.finishReason),
    model: answer.model,
    deployment: answer.deployment,
    simulated: answer.simulated,
    request_id: answer.requestId,
    usage: answer.usage === undefined ? null : toJson(UsageSchema, answer.usage),
    adjustments: answer.adjustments.map((each) => toJson(AdjustmentSchema, each)),
  };
}

/** The failure of a call as it is written. */
export function describeFailure(failure: CallFailure): BatchError {
  const violations = failure.violations.map(({ field, description }) => `${field} ${description}`);
  return {
    code: failure.codeName,
    reason: failure.reason ?? "",
    message: [failure.message, ...violations].join("; "),
    may_succeed_later: chooseExit(failure) !== "failure" || failure.codeName === "DEADLINE_EXCEEDED",
  };
}
