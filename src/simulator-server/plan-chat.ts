import type { ProviderCall } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import { estimateInputTokens } from "../providers/simulator/estimate-tokens.ts";
import { type PlannedAnswer, planAnswer } from "../providers/simulator/plan-answer.ts";
import type { Ask } from "./dialect.ts";

/** An answer that was decided and what its prompt counts. */
export interface PlannedChat {
  readonly answer: PlannedAnswer;
  readonly inputTokens: number;
}

/** Composes the answer to a request: text that says it is a simulation, JSON, or a call of a tool. */
export function planChat(ask: Ask, id: string, outputTokens: number, callsTools: boolean): PlannedChat {
  const request = callsTools ? demandTool(ask.request) : ask.request;
  const call: ProviderCall = {
    deployment: {
      id: `simulate/${ask.model}`,
      model: ask.model,
      provider: "simulate",
      upstreamModel: ask.model,
      simulated: true,
      requestOverrides: {},
      concurrencyLimit: undefined,
    },
    request,
    attemptId: id,
    traceparent: undefined,
  };
  return { answer: planAnswer(call, outputTokens), inputTokens: estimateInputTokens(ask.request) };
}

/** A model that may call a tool does so until it has the result: then it answers. */
function demandTool(request: GenerationRequest): GenerationRequest {
  const isFree = request.toolChoice === undefined || request.toolChoice.kind === "auto";
  const hasResult = request.messages.at(-1)?.role === "tool";
  if (!isFree || hasResult || request.tools.length === 0) return request;
  return { ...request, toolChoice: { kind: "required" } };
}
