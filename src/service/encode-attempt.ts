/** Attempts and usage in the contract's words. */

import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  type Attempt,
  AttemptPurpose as AttemptPurposeEnum,
  AttemptSchema,
  Outcome as OutcomeEnum,
  type Usage as UsageMessage,
  UsageSchema,
} from "../../gen/sluice/v1/generation_pb.ts";
import type { AttemptPurpose, AttemptRecord } from "../domain/attempt.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Usage } from "../domain/usage.ts";

const OUTCOMES: Readonly<Record<Outcome, OutcomeEnum>> = {
  success: OutcomeEnum.SUCCESS,
  auth: OutcomeEnum.AUTH,
  invalid_request: OutcomeEnum.INVALID_REQUEST,
  context_length_exceeded: OutcomeEnum.CONTEXT_LENGTH_EXCEEDED,
  content_filter: OutcomeEnum.CONTENT_FILTER,
  rate_limit: OutcomeEnum.RATE_LIMIT,
  quota_exhausted: OutcomeEnum.QUOTA_EXHAUSTED,
  model_unavailable: OutcomeEnum.MODEL_UNAVAILABLE,
  server_error: OutcomeEnum.SERVER_ERROR,
  overloaded: OutcomeEnum.OVERLOADED,
  timeout: OutcomeEnum.TIMEOUT,
  network: OutcomeEnum.NETWORK,
  stream_interrupted: OutcomeEnum.STREAM_INTERRUPTED,
  cancelled: OutcomeEnum.CANCELLED,
  superseded: OutcomeEnum.SUPERSEDED,
  local: OutcomeEnum.LOCAL,
};

const PURPOSES: Readonly<Record<AttemptPurpose, AttemptPurposeEnum>> = {
  first: AttemptPurposeEnum.FIRST,
  retry: AttemptPurposeEnum.RETRY,
  fallback: AttemptPurposeEnum.FALLBACK,
  hedge: AttemptPurposeEnum.HEDGE,
  second_answer: AttemptPurposeEnum.SECOND_ANSWER,
  judge: AttemptPurposeEnum.JUDGE,
  health_check: AttemptPurposeEnum.HEALTH_CHECK,
};

/** The contract's word for an outcome. */
export function encodeOutcome(outcome: Outcome): OutcomeEnum {
  return OUTCOMES[outcome];
}

/** The contract's word for why an attempt was made. */
export function encodePurpose(purpose: AttemptPurpose): AttemptPurposeEnum {
  return PURPOSES[purpose];
}

/** An ended attempt as callers see it. */
export function encodeAttempt(record: AttemptRecord): Attempt {
  return create(AttemptSchema, {
    attemptNumber: record.attemptNumber,
    deployment: record.deployment.id,
    provider: record.deployment.provider,
    model: record.deployment.model,
    outcome: OUTCOMES[record.outcome],
    providerCode: record.providerCode ?? "",
    purpose: PURPOSES[record.purpose],
    tier: record.tier,
    totalDuration: encodeDuration(record.totalMs),
    ...(record.httpStatus === undefined ? {} : { httpStatus: record.httpStatus }),
    ...(record.timeToFirstTokenMs === undefined
      ? {}
      : { timeToFirstTokenDuration: encodeDuration(record.timeToFirstTokenMs) }),
    ...(record.usage === undefined ? {} : { usage: encodeUsage(record.usage) }),
  });
}

/** Token counts and cost; what is unknown stays unset. */
export function encodeUsage(usage: Usage): UsageMessage {
  return create(UsageSchema, {
    ...(usage.inputTokens === undefined ? {} : { inputTokenCount: BigInt(usage.inputTokens) }),
    ...(usage.outputTokens === undefined ? {} : { outputTokenCount: BigInt(usage.outputTokens) }),
    ...(usage.cachedInputTokens === undefined
      ? {}
      : { cachedInputTokenCount: BigInt(usage.cachedInputTokens) }),
    ...(usage.reasoningTokens === undefined ? {} : { reasoningTokenCount: BigInt(usage.reasoningTokens) }),
    ...(usage.costNanoUsd === undefined ? {} : { costNanoUsd: BigInt(usage.costNanoUsd) }),
    ...(usage.costNanoCny === undefined ? {} : { costNanoCny: BigInt(usage.costNanoCny) }),
  });
}

/** Milliseconds, fractions allowed, as a Duration exact to the microsecond. */
export function encodeDuration(ms: number): Duration {
  const micros = Math.round(ms * 1_000);
  const seconds = Math.floor(micros / 1_000_000);
  return create(DurationSchema, {
    seconds: BigInt(seconds),
    nanos: (micros - seconds * 1_000_000) * 1_000,
  });
}
