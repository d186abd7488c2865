/** What a request demands of whoever serves it. Pure: derived once per request. */

import type { TaskType } from "../../domain/deployment.ts";
import type { GenerationRequest, Message, Priority } from "../../domain/request.ts";
import type { CandidateView } from "./candidate-view.ts";

/** Limits of the caller beside what `Requirements` holds. Unset means no limit. */
export interface ChoiceLimits {
  /** 0 to 1. */
  readonly minSuccessRatio?: number;
  /** For the whole answer. */
  readonly maxLatencyMs?: number;
  /** Expected cost of one attempt. A candidate without a price cannot meet it. */
  readonly maxCostNanoUsd?: number;
}

/** What the request itself does not say. */
export interface DemandFacts {
  /** An estimate of the prompt's length, 0 or more. */
  readonly promptTokens: number;
  /** The part of it that is not in the messages; 0 when left out. */
  readonly fixedPromptTokens?: number;
  /** The caller's task, or else the classifier's; only weighs, never removes. */
  readonly task: TaskType | undefined;
  readonly limits: ChoiceLimits;
}

export interface Demands {
  readonly priority: Priority;
  readonly task: TaskType | undefined;
  readonly vision: boolean;
  readonly tools: boolean;
  readonly jsonObject: boolean;
  readonly jsonSchema: boolean;
  readonly longContext: boolean;
  /** Whether a call of a tool is demanded. */
  readonly forcedToolCall: boolean;
  /** Whether an image is given by address. */
  readonly imageUrl: boolean;
  readonly stopSequenceCount: number;
  /** As estimated, before any model's correction. */
  readonly promptTokens: number;
  /** The part of it that is not in the messages. */
  readonly fixedPromptTokens: number;
  /** What the caller allows the answer; undefined where it does not say. */
  readonly maxOutputTokens: number | undefined;
  /** How long the answer will be, as far as one can tell; 1 or more. */
  readonly expectedOutputTokens: number;
  /** The context window that the caller requires, 0 where it does not. */
  readonly minContextTokens: number;
  readonly limits: ChoiceLimits;
}

/** Usual lengths of answers. Rough: they only compare candidates with each other. */
const EXPECTED_OUTPUT_TOKENS: Readonly<Record<TaskType, number>> = {
  text_generation: 400,
  code_generation: 700,
  analysis: 600,
  reasoning: 900,
  summarization: 250,
  translation: 400,
  classification: 20,
  extraction: 150,
  vision_analysis: 300,
  long_context: 500,
  streaming: 400,
  batch_processing: 400,
};

const DEFAULT_OUTPUT_TOKENS = 400;

/**
 * Derives the demands. The tasks `vision_analysis` and `long_context` demand their
 * capability only where the caller itself named them (generation.proto): a guess of
 * the classifier removes nothing.
 */
export function deriveDemands(request: GenerationRequest, facts: DemandFacts): Demands {
  const { requirements, responseFormat, taskType, toolChoice } = request;
  const maxOutputTokens = request.sampling.maxOutputTokens;
  const task = taskType ?? facts.task;
  const usualTokens = task === undefined ? DEFAULT_OUTPUT_TOKENS : EXPECTED_OUTPUT_TOKENS[task];
  return {
    priority: request.priority,
    task,
    vision: requirements.vision || taskType === "vision_analysis" || hasImage(request),
    tools: requirements.tools || request.tools.length > 0,
    jsonObject: requirements.jsonOutput || responseFormat?.kind === "json_object",
    jsonSchema: responseFormat?.kind === "json_schema",
    longContext: requirements.longContext || taskType === "long_context",
    forcedToolCall: toolChoice?.kind === "required" || toolChoice?.kind === "tool",
    imageUrl: request.messages.some(hasImageUrl),
    stopSequenceCount: request.sampling.stopSequences?.length ?? 0,
    promptTokens: facts.promptTokens,
    fixedPromptTokens: facts.fixedPromptTokens ?? 0,
    maxOutputTokens,
    expectedOutputTokens: Math.max(1, Math.min(usualTokens, maxOutputTokens ?? usualTokens)),
    minContextTokens: requirements.contextTokens ?? 0,
    limits: facts.limits,
  };
}

/** Estimates of prompts may be too short by this share: so much more is reserved for them beside an answer. */
export const PROMPT_RESERVE_RATIO = 1.1;

/** What the context window leaves for an answer beside the prompt and its reserve; may be below 0. */
export function findFreeTokens(
  { promptTokens }: Demands,
  { model, promptTokenRatio }: Pick<CandidateView, "model" | "promptTokenRatio">,
): number {
  return model.capabilities.contextWindowTokens - promptTokens * promptTokenRatio * PROMPT_RESERVE_RATIO;
}

/**
 * The output limit to send to a deployment: the asked one, lowered to what the context
 * window leaves beside the prompt. Where the caller asked for none it is undefined, but
 * for deployments that demand one: the model's own limit, lowered likewise. A model
 * passes the filters only when that is 1 or more.
 */
export function clipOutputTokens(
  demands: Demands,
  view: Pick<CandidateView, "deployment" | "model" | "promptTokenRatio">,
): number | undefined {
  const isNeeded = view.deployment.parameters?.outputLimitNeeded === true;
  const usualTokens = isNeeded ? view.model.capabilities.maxOutputTokens : undefined;
  const askedTokens = demands.maxOutputTokens ?? usualTokens;
  if (askedTokens === undefined) return undefined;
  return Math.min(askedTokens, Math.max(Math.floor(findFreeTokens(demands, view)), 1));
}

function hasImage(request: GenerationRequest): boolean {
  return request.messages.some((message) => message.parts.some((part) => part.kind === "image"));
}

function hasImageUrl({ parts }: Message): boolean {
  return parts.some((part) => part.kind === "image" && part.source.kind === "url");
}
