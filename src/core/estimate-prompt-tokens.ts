/** How long a prompt is, in tokens, as far as one can tell without the model's tokenizer. Pure. */

import type { GenerationRequest, Message } from "../domain/request.ts";

/**
 * Tokens per character by class, fitted to overshoot o200k by a few per cent on
 * prose and code in English, Chinese and Russian. Letters of the Latin alphabet come
 * in words of a token or more; Han, Kana and Hangul are about a token each.
 */
const TOKENS_PER_ASCII_LETTER = 0.22;
const TOKENS_PER_DIGIT = 0.69;
const TOKENS_PER_ASCII_MARK = 0.45;
const TOKENS_PER_CJK = 0.82;
const TOKENS_PER_OTHER = 0.28;

/** What a message costs beside its text, and an image whose real figure nobody publishes. */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_IMAGE = 1_600;
/** Any tools cost this once, and their JSON beside. */
const TOKENS_FOR_TOOLS = 100;

/** Longer texts are judged by their beginning; the estimate is linear in the length. */
const MAX_SCANNED_CHARACTERS = 64 * 1024;

/** Estimates the tokens of a request's prompt; 1 or more. `fixedTokens` is what `estimateFixedTokens` says of it. */
export function estimatePromptTokens(
  request: GenerationRequest,
  fixedTokens = estimateFixedTokens(request),
): number {
  let tokens = fixedTokens;
  for (const message of request.messages) tokens += estimateMessageTokens(message);
  return Math.max(1, Math.ceil(tokens));
}

/** Estimates what a request's prompt has beside the messages: its tools. */
export function estimateFixedTokens({ tools }: GenerationRequest): number {
  return tools.length === 0 ? 0 : TOKENS_FOR_TOOLS + estimateTextTokens(JSON.stringify(tools));
}

/** Estimates the tokens of one message. */
export function estimateMessageTokens({ parts, toolCalls }: Message): number {
  let tokens = TOKENS_PER_MESSAGE;
  for (const part of parts) {
    tokens += part.kind === "text" ? estimateTextTokens(part.text) : TOKENS_PER_IMAGE;
  }
  for (const call of toolCalls ?? []) tokens += estimateTextTokens(call.name + call.arguments);
  return tokens;
}

/** Estimates the tokens of a text; 0 for an empty one. */
export function estimateTextTokens(text: string): number {
  const scanned = Math.min(text.length, MAX_SCANNED_CHARACTERS);
  let tokens = 0;
  for (let index = 0; index < scanned; index++) tokens += weigh(text.charCodeAt(index));
  return scanned === text.length ? tokens : (tokens / scanned) * text.length;
}

function weigh(code: number): number {
  if (code < 0x80) {
    if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x20) {
      return TOKENS_PER_ASCII_LETTER * (code === 0x20 ? 0.3 : 1);
    }
    return code >= 0x30 && code <= 0x39 ? TOKENS_PER_DIGIT : TOKENS_PER_ASCII_MARK;
  }
  return (code >= 0x2e80 && code <= 0xd7ff) || code >= 0xf900 ? TOKENS_PER_CJK : TOKENS_PER_OTHER;
}
