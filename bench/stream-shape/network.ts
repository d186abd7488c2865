import type { GenerationEvent } from "../../src/domain/event.ts";

/** The events of one network read. */
export type Batch = readonly GenerationEvent[];

/** Tokens that the simulated socket takes before it is full. */
const SOCKET_ROOM_TOKENS = 256;

/** The caller's end: counts, is full now and then, and has room again after the next turn of the event loop. */
export class Socket {
  #roomTokens = SOCKET_ROOM_TOKENS;
  #onDrain: (() => void) | undefined;
  tokenCount = 0;
  textLength = 0;

  /** Returns false when there is no room left: wait for `onDrain`. */
  write(batch: Batch): boolean {
    for (const event of batch) this.#take(event);
    return this.#roomTokens > 0;
  }

  writeOne(event: GenerationEvent): boolean {
    this.#take(event);
    return this.#roomTokens > 0;
  }

  /** Calls `fn` once, when there is room again. */
  onDrain(fn: () => void): void {
    this.#onDrain = fn;
  }

  /** What the operating system does between two turns. */
  drain(): void {
    if (this.#roomTokens > 0) return;
    this.#roomTokens = SOCKET_ROOM_TOKENS;
    const fn = this.#onDrain;
    this.#onDrain = undefined;
    fn?.();
  }

  #take(event: GenerationEvent): void {
    this.#roomTokens--;
    this.tokenCount++;
    if (event.kind === "text_delta") this.textLength += event.text.length;
  }
}

/** One stream through the process, from the network to the socket. */
export interface Pipe {
  /** While true nothing is delivered: the bytes stay in the kernel. */
  readonly paused: boolean;
  deliver(batch: Batch): void;
  /** No read follows. */
  end(): void;
}

/** A way for events to move through three layers: provider, router, service. */
export interface StreamShape {
  readonly name: string;
  open(socket: Socket): Pipe;
}

/** What a parser makes of a read: new objects each time. */
export function parseRead(tokensPerRead: number): Batch {
  const batch: GenerationEvent[] = [];
  for (let index = 0; index < tokensPerRead; index++) batch.push({ kind: "text_delta", text: " token" });
  return batch;
}
