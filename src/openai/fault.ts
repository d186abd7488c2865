/** What is wrong with a chat request, in the words of OpenAI's errors. */

/** OpenAI's codes of a bad parameter (platform.openai.com, error codes of 400 answers). */
export type FaultCode =
  | "missing_required_parameter"
  | "unknown_parameter"
  | "unsupported_parameter"
  | "unsupported_value"
  | "invalid_type"
  | "invalid_value";

/** One wrong parameter. */
export interface Fault {
  readonly code: FaultCode;
  /** Where, for example `messages[2].content[0].image_url.url`; empty for the body as a whole. */
  readonly param: string;
  /** What was wrong and what would be right. Never holds a prompt. */
  readonly message: string;
}

/** Faults beyond this are not kept: nobody reads them, and a body can hold a million. */
const MAX_FAULT_COUNT = 8;

/** Takes down what is wrong, in the order found; keeps the first 8. */
export class Faults {
  readonly #found: Fault[] = [];

  get found(): readonly Fault[] {
    return this.#found;
  }

  /** Whether further faults would not be kept, so that looking on is pointless. */
  get isFull(): boolean {
    return this.#found.length >= MAX_FAULT_COUNT;
  }

  /** Takes one down. Returns undefined, as readers do that could not read. */
  add(code: FaultCode, param: string, message: string): undefined {
    if (!this.isFull) this.#found.push({ code, param, message });
  }
}

/** A parameter name written by a caller, cut and cleaned so that it can be shown. */
export function showName(name: string): string {
  const shown = name.replace(/[^\w.$-]/g, "?");
  return shown.length > 64 ? `${shown.slice(0, 64)}…` : shown;
}
