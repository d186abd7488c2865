import type { GenerationEvent } from "../../domain/event.ts";
import type { ProviderEnd } from "../../domain/ports.ts";

/** Turns one answer, already split into messages, into our events. */
export interface AnswerStream {
  /** What was understood; may be emptied at any time. */
  events: GenerationEvent[];
  /** Set once the answer is over, well or not; nothing is added after it. */
  readonly end: ProviderEnd | undefined;
  /** Whether the answer would be whole if nothing more came, though more may: a finish reason was given. */
  readonly isConcluded?: boolean;
  /** Takes a whole answer, or an error, in one JSON text from a server that does not stream. */
  readWhole(json: string): void;
  /** Tells that no more comes: ends the answer as whole or as cut. */
  endOfInput(): void;
  /** Ends the answer as broken: cut, unreadable or too large. */
  interrupt(): void;
}

/** Splits bytes into messages for an `AnswerStream`, however they are cut. */
export interface StreamReader {
  /** Reads on. Returns false when a message is too large; the reader is of no use then. */
  push(chunk: Buffer): boolean;
  /** Hands over what is left when no more bytes come; returns false as `push` does. */
  finish(): boolean;
}
