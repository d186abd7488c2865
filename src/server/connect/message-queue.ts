import type { Message } from "@bufbuild/protobuf";
import { approximateBytes } from "./approximate-bytes.ts";

/** Above either of these, `push` says to wait. */
const HIGH_WATER_BYTES = 64 * 1024;
const HIGH_WATER_COUNT = 256;

/** Sent messages are let go of at least this often. */
const COMPACT_COUNT = 256;

type Waiter = PromiseWithResolvers<IteratorResult<Message>>;

/**
 * Turns pushed batches into the sequence that Connect pulls, one message at a time.
 * Connect pulls only when the network takes more, so a slow reader fills the queue
 * and `push` says so.
 */
export class MessageQueue implements AsyncIterableIterator<Message> {
  #messages: Message[] = [];
  #bytes: number[] = [];
  #readIndex = 0;
  #queuedBytes = 0;
  #full = false;
  #waiter: Waiter | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #onDrain: (() => void) | undefined;

  /** Queues messages in order. Returns false when enough are queued: wait for `onDrain`. */
  push(batch: readonly Message[]): boolean {
    if (this.#end !== undefined) return true;
    for (const message of batch) {
      const waiter = this.#waiter;
      if (waiter === undefined) {
        this.#add(message);
      } else {
        this.#waiter = undefined;
        waiter.resolve({ done: false, value: message });
      }
    }
    this.#full = this.#queuedBytes >= HIGH_WATER_BYTES || this.#queuedCount >= HIGH_WATER_COUNT;
    return !this.#full;
  }

  /** Sets what to call when a full queue is half empty again. */
  onDrain(fn: () => void): void {
    this.#onDrain = fn;
  }

  /** Ends the sequence after what is queued, with `error` if there is one. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (error !== undefined) waiter?.reject(error);
    else waiter?.resolve({ done: true, value: undefined });
  }

  /** Throws away what is queued and ends with `error`, whatever was said before. */
  abandon(error: Error): void {
    this.#clear();
    this.end(error);
    this.#end = { error };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Message>> {
    const message = this.#messages[this.#readIndex];
    if (message !== undefined) {
      this.#take();
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
    this.#waiter = Promise.withResolvers();
    return this.#waiter.promise;
  }

  return(): Promise<IteratorResult<Message>> {
    this.#clear();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  get #queuedCount(): number {
    return this.#messages.length - this.#readIndex;
  }

  #add(message: Message): void {
    const bytes = approximateBytes(message);
    this.#messages.push(message);
    this.#bytes.push(bytes);
    this.#queuedBytes += bytes;
  }

  #take(): void {
    this.#queuedBytes -= this.#bytes[this.#readIndex] ?? 0;
    this.#readIndex++;
    if (this.#readIndex === this.#messages.length) this.#clear();
    else if (this.#readIndex >= COMPACT_COUNT) this.#compact();
    const roomy = this.#queuedBytes <= HIGH_WATER_BYTES / 2 && this.#queuedCount <= HIGH_WATER_COUNT / 2;
    if (this.#full && roomy && this.#end === undefined) {
      this.#full = false;
      this.#onDrain?.();
    }
  }

  #compact(): void {
    this.#messages = this.#messages.slice(this.#readIndex);
    this.#bytes = this.#bytes.slice(this.#readIndex);
    this.#readIndex = 0;
  }

  #clear(): void {
    this.#messages = [];
    this.#bytes = [];
    this.#readIndex = 0;
    this.#queuedBytes = 0;
  }
}
