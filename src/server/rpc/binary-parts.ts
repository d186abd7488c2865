import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { MAX_PARTS, type PartCounter } from "../edge/part-counter.ts";

/** The fields of a message that are looked into, by number: other messages, and numbers that come many in one field. */
type Fields = Map<number, Fields | "numbers">;

const KNOWN = new WeakMap<DescMessage, Fields>();

/** The value's field in the entry of a map (Protocol Buffers, "Maps", backwards compatibility). */
const MAP_VALUE_NUMBER = 2;

/** A longer varint is malformed (Protocol Buffers, "Base 128 Varints"). */
const MAX_VARINT_BYTES = 10;

/** Counts the fields of a protobuf message and of those inside it (Protocol Buffers, "Encoding"). */
export class BinaryParts implements PartCounter {
  /** The messages that have begun and not ended, the outermost first. */
  readonly #levels: { readonly fields: Fields; readonly end: number }[];
  #count = 0;
  #position = 0;
  /** Bytes to come that are a value and no structure. */
  #skippedBytes = 0;
  #state: "tag" | "varint" | "length" = "tag";
  #varint = 0;
  #varintBytes = 0;
  /** What the length that is being read belongs to. */
  #field: Fields | "numbers" | undefined;
  #isMalformed = false;

  constructor(desc: DescMessage) {
    this.#levels = [{ fields: listFields(desc), end: Number.POSITIVE_INFINITY }];
  }

  accept(bytes: Uint8Array): boolean {
    let index = 0;
    while (index < bytes.length && !this.#isMalformed) {
      if (this.#skippedBytes > 0) {
        const count = Math.min(this.#skippedBytes, bytes.length - index);
        this.#skippedBytes -= count;
        this.#position += count;
        index += count;
        continue;
      }
      this.#takeByte(bytes[index++] ?? 0);
      if (this.#count > MAX_PARTS) return false;
    }
    return true;
  }

  #takeByte(byte: number): void {
    this.#position++;
    this.#varint += (byte & 0x7f) * 128 ** this.#varintBytes++;
    if (byte >= 0x80) {
      this.#isMalformed = this.#varintBytes >= MAX_VARINT_BYTES;
      return;
    }
    const value = this.#varint;
    this.#varint = 0;
    this.#varintBytes = 0;
    const state = this.#state;
    this.#state = "tag";
    if (state === "tag") this.#beginField(value);
    else if (state === "length") this.#beginValue(value);
  }

  #beginField(tag: number): void {
    this.#count++;
    // Its tag has been read: a message that ended before it has ended.
    while (this.#position > (this.#levels.at(-1)?.end ?? 0)) this.#levels.pop();
    const wireType = tag % 8;
    if (wireType === 0) this.#state = "varint";
    else if (wireType === 1) this.#skippedBytes = 8;
    else if (wireType === 5) this.#skippedBytes = 4;
    else if (wireType === 2) {
      this.#state = "length";
      this.#field = this.#levels.at(-1)?.fields.get(Math.floor(tag / 8));
    } else this.#isMalformed = wireType > 4;
  }

  #beginValue(bytes: number): void {
    if (this.#field === undefined) this.#skippedBytes = bytes;
    else if (this.#field !== "numbers") {
      this.#levels.push({ fields: this.#field, end: this.#position + bytes });
    } else {
      // A byte each, at the least.
      this.#count += bytes;
      this.#skippedBytes = bytes;
    }
  }
}

function listFields(desc: DescMessage): Fields {
  const known = KNOWN.get(desc);
  if (known !== undefined) return known;
  const fields: Fields = new Map();
  // Before the fields, because a message may hold messages of its own kind.
  KNOWN.set(desc, fields);
  for (const field of desc.fields) {
    const inside = lookInside(field);
    if (inside !== undefined) fields.set(field.number, inside);
  }
  return fields;
}

function lookInside(field: DescField): Fields | "numbers" | undefined {
  if (field.fieldKind === "map") {
    return field.mapKind === "message"
      ? new Map([[MAP_VALUE_NUMBER, listFields(field.message)]])
      : new Map<number, Fields>();
  }
  if (field.message !== undefined) return listFields(field.message);
  return field.fieldKind === "list" && field.packed ? "numbers" : undefined;
}
