/**
 * The most fields of messages, or values of JSON, that one request may have. Each becomes an object that takes up to a
 * hundred times its bytes: a limit on bytes alone lets few of them grow to gigabytes. The largest
 * conversation that is taken (1,000 messages) has some thousands.
 */
export const MAX_PARTS = 50_000;

/** Counts the parts of one message while its bytes pass by, before anything is made of them. */
export interface PartCounter {
  /** Takes the next bytes. False when there are more than `MAX_PARTS`. What is malformed is left to who parses it. */
  accept(bytes: Uint8Array): boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** Counts what begins or divides objects and arrays, outside of texts (RFC 8259). */
export class JsonParts implements PartCounter {
  #count = 0;
  #isInText = false;
  #isEscaped = false;

  accept(bytes: Uint8Array): boolean {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (this.#isInText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInText = false;
      } else if (byte === QUOTE) {
        this.#isInText = true;
      } else if (
        (byte === COMMA || byte === OPEN_ARRAY || byte === OPEN_OBJECT) &&
        ++this.#count > MAX_PARTS
      ) {
        return false;
      }
    }
    return true;
  }
}
