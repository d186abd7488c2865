import { inspect } from "node:util";

/** A credential that never prints: every way of turning it into text says `[redacted]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The credential itself. Only for the header that carries it. */
  reveal(): string {
    return this.#value;
  }

  /** Whether a text that would be printed holds it. */
  isIn(text: string): boolean {
    return this.#value !== "" && text.includes(this.#value);
  }

  toString(): string {
    return "[redacted]";
  }

  toJSON(): string {
    return "[redacted]";
  }

  [inspect.custom](): string {
    return "[redacted]";
  }
}
