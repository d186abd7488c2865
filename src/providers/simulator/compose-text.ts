import type { ProviderCall } from "../../domain/ports.ts";

const MAX_ECHO_WORD_COUNT = 8;
const MAX_ECHO_CHARACTERS = 80;
/** No more of the message is looked at for the echo. */
const MAX_SEARCHED_LENGTH = 1_000;
/** Control characters, and those that hide or reorder text. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]+/gu;
const WORD = /\s*\S+/g;

const FILLER = [
  "The words that follow carry no meaning and are the same every time.",
  "They stand where a model's answer would stand, so that you can see it arrive.",
  "Connect a real provider in the configuration to get real answers.",
]
  .map((sentence) => ` ${sentence}`)
  .join("");
const FILLER_PIECES: readonly string[] = splitIntoPieces(FILLER);

/**
 * Writes the simulation's text as pieces of one token each, exactly `tokenCount` of
 * them. The same request gives the same text, and it says what it is at once.
 */
export function composeText(call: ProviderCall, tokenCount: number): readonly string[] {
  const pieces = splitIntoPieces(`[simulated answer by ${call.deployment.model}] ${describeRequest(call)}`);
  const opening = pieces.slice(0, tokenCount);
  for (let index = 0; opening.length < tokenCount; index++) {
    opening.push(FILLER_PIECES[index % FILLER_PIECES.length] ?? "");
  }
  return opening;
}

/** A word with the blanks before it is a token here. The text ends in a word. */
function splitIntoPieces(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** The text of the last thing the user said; empty when it was nothing but images. */
export function lastUserText(call: ProviderCall): string {
  const message = call.request.messages.findLast(({ role }) => role === "user");
  return (message?.parts ?? []).map((part) => (part.kind === "text" ? part.text : "")).join(" ");
}

function describeRequest(call: ProviderCall): string {
  const text = lastUserText(call);
  const echo = echoOf(text);
  const beginning = echo === "" ? "" : ` and begins: “${echo}”`;
  return `This is Sluice's simulator, not a language model. Your last message has ${text.length} characters${beginning}.`;
}

/** The first words, without anything that could disturb a terminal or a log. */
function echoOf(text: string): string {
  const safe = text.slice(0, MAX_SEARCHED_LENGTH).replace(UNSAFE, " ").trim();
  const words = safe.split(/\s+/).slice(0, MAX_ECHO_WORD_COUNT).join(" ");
  return Array.from(words).slice(0, MAX_ECHO_CHARACTERS).join("");
}
