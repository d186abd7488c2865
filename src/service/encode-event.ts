/** Events and answers of the router in the contract's words. */

import { create } from "@bufbuild/protobuf";
import { FinishReason as FinishReasonEnum, ToolCallSchema } from "../../gen/sluice/v1/generation_pb.ts";
import {
  AttemptSwitchedSchema,
  FinishedSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  ReasoningDeltaSchema,
  StartedSchema,
  type StreamGenerateResponse,
  ToolCallDeltaSchema,
} from "../../gen/sluice/v1/router_service_pb.ts";
import type { RouteResult } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { FinishReason, GenerationEvent } from "../domain/event.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { CollectedAnswer } from "../router/collect-generation.ts";
import { encodeAdjustment } from "./encode-adjustment.ts";
import { encodeAttempt, encodeDuration, encodeOutcome, encodeUsage } from "./encode-attempt.ts";
import { encodeDecision } from "./encode-decision.ts";

type StreamEvent = StreamGenerateResponse["event"];

const FINISH_REASONS: Readonly<Record<FinishReason, FinishReasonEnum>> = {
  stop: FinishReasonEnum.STOP,
  length: FinishReasonEnum.LENGTH,
  tool_calls: FinishReasonEnum.TOOL_CALLS,
  content_filter: FinishReasonEnum.CONTENT_FILTER,
  other: FinishReasonEnum.OTHER,
};

/** Wraps an event with its place in the stream. */
export function encodeStreamEvent(
  sequenceNumber: number,
  attemptNumber: number,
  event: StreamEvent,
): StreamGenerateResponse {
  // Written out: `create` costs more than all else that happens to a piece of text here.
  return { $typeName: "sluice.v1.StreamGenerateResponse", sequenceNumber, attemptNumber, event };
}

/** The first event of a stream. */
export function encodeStarted(requestId: string, deployment: Deployment): StreamEvent {
  const { model, id, provider, simulated } = deployment;
  return {
    case: "started",
    value: create(StartedSchema, { requestId, model, deployment: id, provider, simulated }),
  };
}

/** Another attempt has taken over. */
export function encodeSwitched(deployment: Deployment, previous: Outcome): StreamEvent {
  const { model, id, provider, simulated } = deployment;
  return {
    case: "attemptSwitched",
    value: create(AttemptSwitchedSchema, {
      model,
      deployment: id,
      provider,
      simulated,
      previousOutcome: encodeOutcome(previous),
    }),
  };
}

/** A provider's event. */
export function encodeDelta(event: GenerationEvent): StreamEvent {
  switch (event.kind) {
    case "text_delta":
      return { case: "textDelta", value: { $typeName: "sluice.v1.TextDelta", text: event.text } };
    case "reasoning_delta":
      return { case: "reasoningDelta", value: create(ReasoningDeltaSchema, { text: event.text }) };
    case "tool_call_delta": {
      const { callId, name, argumentsDelta, last, thoughtSignature = "" } = event;
      return {
        case: "toolCallDelta",
        value: create(ToolCallDeltaSchema, { callId, name, argumentsDelta, last, thoughtSignature }),
      };
    }
    case "usage":
      return { case: "usage", value: encodeUsage(event.usage) };
  }
}

/** The last event of a stream. */
export function encodeFinished(result: RouteResult): StreamEvent {
  return { case: "finished", value: create(FinishedSchema, encodeResult(result)) };
}

/** A whole answer. */
export function encodeAnswer(
  requestId: string,
  answer: CollectedAnswer,
  result: RouteResult,
): GenerateResponse {
  return create(GenerateResponseSchema, {
    ...encodeResult(result),
    requestId,
    simulated: result.deployment.simulated,
    text: answer.text,
    reasoningText: answer.reasoningText,
    toolCalls: answer.toolCalls.map((call) => create(ToolCallSchema, { ...call })),
  });
}

function encodeResult(result: RouteResult) {
  return {
    model: result.deployment.model,
    deployment: result.deployment.id,
    provider: result.deployment.provider,
    responseModel: result.responseModel,
    finishReason: FINISH_REASONS[result.finishReason],
    rawFinishReason: result.rawFinishReason,
    totalDuration: encodeDuration(result.totalMs),
    attempts: result.attempts.map(encodeAttempt),
    decisions: result.decisions.map(encodeDecision),
    adjustments: result.adjustments.map(encodeAdjustment),
    ...(result.usage === undefined ? {} : { usage: encodeUsage(result.usage) }),
    ...(result.timeToFirstTokenMs === undefined
      ? {}
      : { timeToFirstTokenDuration: encodeDuration(result.timeToFirstTokenMs) }),
  };
}
