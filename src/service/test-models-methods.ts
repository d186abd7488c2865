/** The method TestModels of ModelService. */

import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  ModelService,
  type ModelTest,
  ModelTestSchema,
  ModelTestState,
  type TestModelsRequest,
  type TestModelsResponse,
  TestModelsResponseSchema,
} from "../../gen/sluice/v1/model_service_pb.ts";
import type { FieldViolation } from "../domain/errors.ts";
import type { Clock } from "../domain/ports.ts";
import { unknownModelError } from "../domain/unknown-model.ts";
import { type ModelTestEnd, type ModelTestPlan, testModels } from "../router/model-tests.ts";
import type { Router } from "../router/route.ts";
import { type RpcMethod, type StreamCall, serverStreaming } from "./call.ts";
import { encodeDuration, encodeUsage } from "./encode-attempt.ts";
import { invalidRequestError } from "./router-methods.ts";
import { Violations } from "./violations.ts";

const MAX_MODEL_COUNT = 1_000;
const MAX_CONCURRENT_COUNT = 64;
const DEFAULT_CONCURRENT_COUNT = 4;
const MAX_PROMPT_LENGTH = 8_192;
const DEFAULT_PROMPT = "Say in one sentence what you can do.";
const MAX_OUTPUT_TOKENS = 4_096;
const DEFAULT_OUTPUT_TOKENS = 64;
const MAX_TIMEOUT_MS = 3_600_000;
const DEFAULT_TIMEOUT_MS = 60_000;

/** TestModels over a router. `modelNames` are the catalog's. */
export function testModelsMethods(
  router: Router,
  modelNames: readonly string[],
  clock: Clock,
): readonly RpcMethod[] {
  return [
    serverStreaming(ModelService.method.testModels, (request, call) => {
      const violations = checkRequest(request);
      if (violations.length > 0) return call.fail(invalidRequestError(violations));
      const unknown = request.models.find((name) => !modelNames.includes(name));
      if (unknown !== undefined) return call.fail(unknownModelError(unknown));
      const models = request.models.length === 0 ? modelNames : [...new Set(request.models)];
      runTests(router, clock, makePlan(request, models, call), call);
    }),
  ];
}

function runTests(
  router: Router,
  clock: Clock,
  plan: ModelTestPlan,
  call: StreamCall<TestModelsResponse>,
): void {
  let doneCount = 0;
  // A few small messages per model: a caller who reads slowly needs no pause.
  const tell = (test?: ModelTest) => {
    const totalCount = plan.models.length;
    call.write([
      create(TestModelsResponseSchema, { doneCount, totalCount, ...(test === undefined ? {} : { test }) }),
    ]);
  };
  tell();
  let isOver = false;
  const cancel = testModels(router, clock, plan, {
    onStarted: (model) => tell(create(ModelTestSchema, { model, state: ModelTestState.RUNNING })),
    onEnded(model, end) {
      doneCount += 1;
      tell(encodeTest(model, end));
    },
    onOver() {
      isOver = true;
      call.end();
    },
  });
  if (isOver) return;
  call.onCancel((cause) => {
    cancel(cause === "shutdown" ? "shutdown" : "caller_gone");
    if (cause === "deadline") {
      call.fail({
        reason: "DEADLINE_EXCEEDED",
        message: "the deadline passed before all models were tested",
      });
    } else if (cause === "shutdown") {
      call.fail({ reason: "DRAINING", message: "this replica is shutting down", retryAfterMs: 0 });
    }
  });
}

function checkRequest(request: TestModelsRequest): readonly FieldViolation[] {
  const violations = new Violations();
  const { models, maxConcurrentCount, prompt, maxOutputTokenCount, timeoutDuration } = request;
  if (models.length > MAX_MODEL_COUNT) {
    violations.add("models", `has ${models.length}; must be at most ${MAX_MODEL_COUNT}`);
  }
  const checkRange = (field: string, value: number | undefined, max: number) => {
    if (value !== undefined && !(value >= 1 && value <= max)) {
      violations.add(field, `is ${value}; must be 1 to ${max} inclusive`);
    }
  };
  checkRange("max_concurrent_count", maxConcurrentCount, MAX_CONCURRENT_COUNT);
  checkRange("max_output_token_count", maxOutputTokenCount, MAX_OUTPUT_TOKENS);
  if (prompt.length > MAX_PROMPT_LENGTH) {
    violations.add("prompt", `has ${prompt.length} characters; must have at most ${MAX_PROMPT_LENGTH}`);
  }
  const timeoutMs = timeoutDuration === undefined ? undefined : durationMs(timeoutDuration);
  if (timeoutMs !== undefined && !(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
    violations.add("timeout_duration", `is ${timeoutMs} ms; must be 1 ms to ${MAX_TIMEOUT_MS} ms inclusive`);
  }
  return violations.list;
}

function makePlan(
  request: TestModelsRequest,
  models: readonly string[],
  { deadlineMs, requestId, traceparent }: StreamCall<TestModelsResponse>,
): ModelTestPlan {
  const { timeoutDuration } = request;
  return {
    models,
    maxConcurrentCount: request.maxConcurrentCount ?? DEFAULT_CONCURRENT_COUNT,
    prompt: request.prompt.trim() === "" ? DEFAULT_PROMPT : request.prompt,
    maxOutputTokens: request.maxOutputTokenCount ?? DEFAULT_OUTPUT_TOKENS,
    timeoutMs: timeoutDuration === undefined ? DEFAULT_TIMEOUT_MS : durationMs(timeoutDuration),
    deadlineMs,
    requestId,
    traceparent,
  };
}

function encodeTest(model: string, end: ModelTestEnd): ModelTest {
  if (end.kind === "unavailable") {
    const { reason, message, failed } = end.error;
    return create(ModelTestSchema, {
      model,
      state: ModelTestState.UNAVAILABLE,
      totalDuration: encodeDuration(end.totalMs),
      attemptCount: failed?.attempts.length ?? 0,
      errorReason: reason,
      errorMessage: message,
    });
  }
  const { deployment, usage, timeToFirstTokenMs, totalMs, attempts } = end.result;
  return create(ModelTestSchema, {
    model,
    state: ModelTestState.AVAILABLE,
    deployment: deployment.id,
    simulated: deployment.simulated,
    totalDuration: encodeDuration(totalMs),
    attemptCount: attempts.length,
    ...(timeToFirstTokenMs === undefined
      ? {}
      : { timeToFirstTokenDuration: encodeDuration(timeToFirstTokenMs) }),
    ...(end.tokensPerSecond === undefined ? {} : { tokensPerSecond: end.tokensPerSecond }),
    ...(usage === undefined ? {} : { usage: encodeUsage(usage) }),
  });
}
