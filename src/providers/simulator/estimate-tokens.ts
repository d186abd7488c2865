import type { GenerationRequest } from "../../domain/request.ts";

const TOKENS_PER_ASCII_CHARACTER = 0.25;
const TOKENS_PER_OTHER_CHARACTER = 0.7;
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_IMAGE = 1_600;
const FIRST_NON_ASCII = 128;

/** A plausible count of a request's input tokens, 1 or more. For the simulation only: no tokenizer. */
export function estimateInputTokens(request: GenerationRequest): number {
  let tokens = 0;
  for (const message of request.messages) {
    tokens += TOKENS_PER_MESSAGE;
    for (const part of message.parts) {
      tokens += part.kind === "text" ? estimateTextTokens(part.text) : TOKENS_PER_IMAGE;
    }
    for (const call of message.toolCalls ?? []) tokens += estimateTextTokens(call.name + call.arguments);
  }
  if (request.tools.length > 0) tokens += estimateTextTokens(JSON.stringify(request.tools));
  return Math.max(1, Math.ceil(tokens));
}

function estimateTextTokens(text: string): number {
  let otherCount = 0;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) >= FIRST_NON_ASCII) otherCount += 1;
  }
  return (text.length - otherCount) * TOKENS_PER_ASCII_CHARACTER + otherCount * TOKENS_PER_OTHER_CHARACTER;
}
