/** What a provider says while it answers, in our words. */

import type { Usage } from "./usage.ts";

/** Why an answer ended; `other` when the provider's word is none of ours. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "other";

/**
 * One event of an answer. Text is never empty. The pieces of one tool call share
 * `callId` and come in order; `name` is set on the first piece and empty after it;
 * `last` is true on exactly one piece of each call, its last. Usage is cumulative.
 */
export type GenerationEvent =
  | { readonly kind: "text_delta"; readonly text: string }
  | { readonly kind: "reasoning_delta"; readonly text: string }
  | {
      readonly kind: "tool_call_delta";
      readonly callId: string;
      readonly name: string;
      readonly argumentsDelta: string;
      readonly last: boolean;
      /** See `ToolCall`; on one piece of a call at the most. */
      readonly thoughtSignature?: string;
    }
  | { readonly kind: "usage"; readonly usage: Usage };

/** A whole tool call. `arguments` is what the model wrote: untrusted, never repaired. */
export interface ToolCall {
  readonly callId: string;
  readonly name: string;
  readonly arguments: string;
  /** What the provider wants back with the call in the next turn, unread: Gemini's signature, Anthropic's signed thoughts. */
  readonly thoughtSignature?: string;
}
