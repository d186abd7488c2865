/** What waits at most; anything on top is dropped. A snapshot of hundreds of deployments is some 16 KiB. */
export interface InboundLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

const LIMITS: InboundLimits = { maxMessages: 4_096, maxBytes: 8 * 2 ** 20 };

/** Handled in one turn of the event loop, so that requests get their turns during a flood. */
const MESSAGES_PER_TURN = 64;

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
}

/**
 * Stands between the network and those who listen: the network never waits, what waits is bounded,
 * and what does not fit is dropped and counted. Items are handled in order.
 */
export class InboundQueue<T> {
  readonly #handle: (item: T) => void;
  readonly #limits: InboundLimits;
  #waiting: Waiting<T>[] = [];
  #nextIndex = 0;
  #waitingBytes = 0;
  #droppedCount = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor(handle: (item: T) => void, limits: InboundLimits = LIMITS) {
    this.#handle = handle;
    this.#limits = limits;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  get waitingCount(): number {
    return this.#waiting.length - this.#nextIndex;
  }

  /** Whether another `bytes` fit; if not, they count as dropped. */
  admits(bytes: number): boolean {
    const isFull =
      this.waitingCount >= this.#limits.maxMessages || this.#waitingBytes + bytes > this.#limits.maxBytes;
    if (isFull) this.#droppedCount += 1;
    return !isFull;
  }

  /** Adds what `admits` let in. */
  push(item: T, bytes: number): void {
    this.#waiting.push({ item, bytes });
    this.#waitingBytes += bytes;
    this.#turn ??= setImmediate(() => this.#work());
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
    this.#nextIndex = 0;
    this.#waitingBytes = 0;
    clearImmediate(this.#turn);
    this.#turn = undefined;
  }

  #work(): void {
    this.#turn = undefined;
    for (let count = 0; count < MESSAGES_PER_TURN; count++) {
      const next = this.#waiting[this.#nextIndex];
      if (next === undefined) break;
      this.#nextIndex += 1;
      this.#waitingBytes -= next.bytes;
      this.#handle(next.item);
    }
    if (this.#nextIndex === this.#waiting.length) {
      this.#waiting = [];
      this.#nextIndex = 0;
      return;
    }
    if (this.#nextIndex >= this.#limits.maxMessages) {
      this.#waiting = this.#waiting.slice(this.#nextIndex);
      this.#nextIndex = 0;
    }
    this.#turn ??= setImmediate(() => this.#work());
  }
}
