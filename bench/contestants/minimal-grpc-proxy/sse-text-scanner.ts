const LINE_FEED = 0x0a;
const TEXT_KEY = '"delta":{"content":"';

/**
 * Finds the text of each event by string search, and asks JSON.parse only where the text
 * has an escape. Knows the mock upstream's shape and no other.
 */
export class SseTextScanner {
  readonly #onText: (text: string) => void;
  #carry: Buffer | undefined;
  /** Whether `data: [DONE]` has come. */
  done = false;

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  push(chunk: Buffer): void {
    const data = this.#carry ? Buffer.concat([this.#carry, chunk]) : chunk;
    const end = data.lastIndexOf(LINE_FEED) + 1;
    // The rest is copied: undici may reuse the memory of its reads.
    this.#carry = end < data.length ? Buffer.from(data.subarray(end)) : undefined;
    const text = data.toString("utf8", 0, end);
    let from = 0;
    for (;;) {
      const key = text.indexOf(TEXT_KEY, from);
      if (key < 0) break;
      const start = key + TEXT_KEY.length;
      let close = text.indexOf('"', start);
      while (text[close - 1] === "\\") close = text.indexOf('"', close + 1);
      const raw = text.slice(start, close);
      this.#onText(raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw);
      from = close;
    }
    if (text.includes("data: [DONE]", from)) this.done = true;
  }
}
