/** How long a prompt is, in tokens, as far as one can tell without the model's tokenizer. Pure. */

import type { GenerationRequest, Message } from "../domain/request.ts";

/**
 * Tokens by class of characters, fitted to overshoot o200k by a few per cent on prose, docs and
 * code in English, Chinese and Russian. Words of the Latin alphabet are a token for each 7
 * letters begun, runs of digits one for each 3; Han, Kana and Hangul are about a token each.
 */
const LETTERS_PER_PIECE = 7;
const TOKENS_PER_WORD_PIECE = 0.99;
const DIGITS_PER_PIECE = 3;
const TOKENS_PER_DIGIT_PIECE = 2.07;
const TOKENS_PER_CJK = 0.82;
const TOKENS_PER_OTHER_LETTER = 0.28;
const TOKENS_PER_ASCII_MARK = 0.55;
const TOKENS_PER_LINE_BREAK_RUN = 0.64;
const TOKENS_PER_INDENT_RUN = 0.56;
const TOKENS_PER_SYMBOL = 1.4;

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
  let run = NO_RUN;
  let length = 0;
  for (let index = 0; index < scanned; index++) {
    const code = text.charCodeAt(index);
    const kind = code < FIRST_NON_ASCII ? (ASCII_RUNS[code] ?? NO_RUN) : NO_RUN;
    if (kind === run && kind !== NO_RUN) {
      length += 1;
      continue;
    }
    tokens += weighRun(run, length);
    run = kind;
    length = 1;
    if (kind === NO_RUN) tokens += weighAlone(code);
  }
  tokens += weighRun(run, length);
  return scanned === text.length ? tokens : (tokens / scanned) * text.length;
}

const FIRST_NON_ASCII = 0x80;

/** Kinds of runs; what is of none is weighed alone. */
const NO_RUN = 0;
const WORD = 1;
const DIGITS = 2;
const LINE_BREAKS = 3;
const SPACES = 4;

/** The kind of run that each ASCII character belongs to. */
const ASCII_RUNS = Uint8Array.from({ length: FIRST_NON_ASCII }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-zA-Z]/.test(character)) return WORD;
  if (/[0-9]/.test(character)) return DIGITS;
  if (/[\n\r]/.test(character)) return LINE_BREAKS;
  return /[ \t]/.test(character) ? SPACES : NO_RUN;
});

function weighRun(kind: number, length: number): number {
  switch (kind) {
    case WORD:
      return Math.ceil(length / LETTERS_PER_PIECE) * TOKENS_PER_WORD_PIECE;
    case DIGITS:
      return Math.ceil(length / DIGITS_PER_PIECE) * TOKENS_PER_DIGIT_PIECE;
    case LINE_BREAKS:
      return TOKENS_PER_LINE_BREAK_RUN;
    case SPACES:
      // A single one belongs to the word after it.
      return length > 1 ? TOKENS_PER_INDENT_RUN : 0;
    default:
      return 0;
  }
}

function weighAlone(code: number): number {
  if (code < FIRST_NON_ASCII) return TOKENS_PER_ASCII_MARK;
  if ((code >= 0x2e80 && code <= 0xd7ff) || (code >= 0xf900 && code <= 0xffef)) return TOKENS_PER_CJK;
  // The second half of a character that was weighed at its first.
  if (code >= 0xdc00 && code <= 0xdfff) return 0;
  const isSymbol = (code >= 0x2190 && code <= 0x2bff) || (code >= 0xd800 && code <= 0xdbff);
  return isSymbol ? TOKENS_PER_SYMBOL : TOKENS_PER_OTHER_LETTER;
}
