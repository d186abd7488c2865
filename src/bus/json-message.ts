import type { BusMessage } from "../domain/health-bus.ts";
import type { PayloadCodec } from "./payload-codec.ts";

/** What stands for JSON that cannot be read: no message of ours is empty, so whoever wants it refuses it. */
const UNREADABLE = new Uint8Array();

/**
 * A message that came as JSON. It is parsed when its payload is asked for, not before, so
 * that messages nobody heeds cost no parsing, however many there are.
 */
export class JsonMessage implements BusMessage {
  readonly subject: string;
  readonly type: string;
  readonly traceparent?: string;
  readonly wireBytes: number;
  readonly #codec: PayloadCodec;
  #json: Uint8Array | undefined;
  #payload: Uint8Array = UNREADABLE;

  constructor(message: BusMessage, codec: PayloadCodec) {
    this.subject = message.subject;
    this.type = message.type;
    if (message.traceparent !== undefined) this.traceparent = message.traceparent;
    this.#codec = codec;
    this.#json = message.payload;
    this.wireBytes = message.payload.length;
  }

  get payload(): Uint8Array {
    if (this.#json !== undefined) {
      this.#payload = this.#codec.fromJson(this.type, this.#json) ?? UNREADABLE;
      this.#json = undefined;
    }
    return this.#payload;
  }
}
