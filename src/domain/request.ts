/** What a caller asked, validated and in our words. */

import type { TaskType } from "./deployment.ts";
import type { ToolCall } from "./event.ts";
import type { GenerationStrategy, TargetName } from "./targets.ts";

export type Priority = "speed" | "quality" | "cost" | "balanced";

export type Role = "system" | "user" | "assistant" | "tool";

export type ImageSource =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "data"; readonly data: Uint8Array; readonly mediaType: string };

export type ContentPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "image"; readonly source: ImageSource; readonly detail?: "low" | "high" };

/** One message; the rules of `Message` in generation.proto hold. */
export interface Message {
  readonly role: Role;
  readonly parts: readonly ContentPart[];
  readonly name?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly toolCallId?: string;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  /** A JSON Schema, or undefined for no arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export type ToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "tool"; readonly name: string };

export type ResponseFormat =
  | { readonly kind: "json_object" }
  | {
      readonly kind: "json_schema";
      readonly name: string;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict: boolean;
    };

export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly maxOutputTokens?: number;
  readonly stopSequences?: readonly string[];
}

export interface Requirements {
  readonly vision: boolean;
  readonly tools: boolean;
  readonly jsonOutput: boolean;
  readonly longContext: boolean;
  readonly contextTokens?: number;
  /** For the whole answer. */
  readonly maxLatencyMs?: number;
  /** 0 to 1. */
  readonly minSuccessRatio?: number;
  /** Expected cost of one attempt. */
  readonly maxCostNanoUsd?: number;
}

/** What a named target may be demanded to be. */
export type TargetKind = "provider" | "group" | "pool" | "chain" | "alias";

/** Who should answer. A name of unsaid kind may be any target's. */
export type Target =
  | { readonly kind: "automatic" }
  | { readonly kind: "model"; readonly model: string }
  | { readonly kind: "named"; readonly name: TargetName; readonly as?: TargetKind };

/** How much quality, latency and cost weigh: 0 or more, not all 0; only their proportions matter. */
export interface PriorityWeights {
  readonly quality: number;
  readonly latency: number;
  readonly cost: number;
}

/** What to do with a prompt that no candidate has room for; see `ContextOverflow` in generation.proto. */
export type ContextOverflow = "fail" | "trim_oldest" | "larger_model";

/** One generation, as the router takes it. */
export interface GenerationRequest {
  readonly messages: readonly Message[];
  readonly target: Target;
  readonly taskType?: TaskType;
  readonly priority: Priority;
  readonly requirements: Requirements;
  readonly sampling: Sampling;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly responseFormat?: ResponseFormat;
  /** Unset: what the target, else the configuration says. */
  readonly strategy?: GenerationStrategy;
  /** Instead of the weights of the priority. */
  readonly weights?: PriorityWeights;
  /** Whether the caller wants to know how each candidate was judged. */
  readonly explain?: boolean;
  /** Unset: what the configuration says. */
  readonly contextOverflow?: ContextOverflow;
  /** Whether to think before the answer. Unset: what the priority, else the catalog says. */
  readonly thinking?: boolean;
}
