const HIGH_SURROGATE_AT_END = /[\uD800-\uDBFF]$/;

/**
 * Keeps text fit for UTF-8. Servers that escape characters beyond the basic plane may
 * send the two halves in two deltas: the first is held back until the second comes.
 * A half that stays alone becomes U+FFFD.
 */
export class SurrogateJoiner {
  #held = "";

  /** Whether half a character is waiting for the other. */
  get isHolding(): boolean {
    return this.#held !== "";
  }

  /** What may be told now; empty when there is nothing yet. */
  join(text: string): string {
    if (text === "") return "";
    const joined = this.#held + text;
    this.#held = HIGH_SURROGATE_AT_END.exec(joined)?.[0] ?? "";
    return joined.slice(0, joined.length - this.#held.length).toWellFormed();
  }

  /** What is left at the end of the answer. */
  flush(): string {
    const left = this.#held.toWellFormed();
    this.#held = "";
    return left;
  }
}
