/** What the server must know to speak a provider's language. */

import type { FinishReason, GenerationEvent } from "../domain/event.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { ModelQuotaState } from "../providers/simulator/model-quotas.ts";

/** The languages it speaks. */
export type DialectName = "openai" | "glm" | "openrouter" | "anthropic" | "ollama";

/** A request, read. */
export interface Ask {
  readonly model: string;
  readonly isStream: boolean;
  /** Whether an OpenAI stream ends with a chunk of usage. */
  readonly includesUsage: boolean;
  readonly request: GenerationRequest;
}

/** What was read, or a sentence that names the field and what would be right. */
export type ReadAsk =
  | { readonly ok: true; readonly ask: Ask }
  | { readonly ok: false; readonly message: string };

/** The facts of an answer that are known when it begins. */
export interface AnswerHead {
  /** Letters and digits, unique in this server. */
  readonly id: string;
  readonly model: string;
  /** Seconds since the Unix epoch. */
  readonly createdSeconds: number;
  readonly inputTokens: number;
  readonly includesUsage: boolean;
}

/** The facts known when it ends. */
export interface AnswerEnd {
  readonly finishReason: FinishReason;
  readonly outputTokens: number;
  /** By the simulation's price; only some dialects tell it. */
  readonly costNanoUsd: number;
  /** From the request's arrival. */
  readonly totalMs: number;
}

/** Writes one streamed answer as the text of its body. */
export interface StreamWriter {
  begin(): string;
  /** Usage events are left out: the end tells it. */
  write(batch: readonly GenerationEvent[]): string;
  end(end: AnswerEnd): string;
}

/** The kinds of errors an answer can be. */
export type ErrorKind =
  | "auth"
  | "invalid_request"
  | "context_length_exceeded"
  | "content_filter"
  | "rate_limit"
  | "quota_exhausted"
  | "model_unavailable"
  | "server_error"
  | "overloaded";

/** An error in a provider's own shape. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** One provider's language. */
export interface Dialect {
  readonly name: DialectName;
  /** The paths of its chat endpoint. */
  readonly paths: readonly string[];
  readonly streamContentType: string;
  /** Reads a parsed body. Never throws. */
  read(body: unknown): ReadAsk;
  /** The body of an answer that is not streamed. */
  writeWhole(head: AnswerHead, events: readonly GenerationEvent[], end: AnswerEnd): unknown;
  stream(head: AnswerHead): StreamWriter;
  writeError(kind: ErrorKind, message: string, requestId: string): ErrorAnswer;
  /** The headers that tell what is left; empty where the provider has none. */
  writeQuota(state: ModelQuotaState, wallMs: number): Readonly<Record<string, string>>;
  /** The name of the header that carries the request's id; undefined where the provider has none. */
  readonly requestIdHeader: string | undefined;
  /** Whether its 429 answers tell how long to wait. */
  readonly hasRetryAfter: boolean;
}
