import type { Socket } from "node:net";
import type { Random } from "../../domain/ports.ts";

/** How far chance moves a connection's maximum age, so that those opened together do not end together (gRFC A9). */
const JITTER_RATIO = 0.1;

/** The maximum age of one connection: `maxAgeMs`, a tenth more or less. */
export function drawMaxAgeMs(maxAgeMs: number, random: Random): number {
  return maxAgeMs * (1 - JITTER_RATIO + 2 * JITTER_RATIO * random.next());
}

/** Knows when HTTP/1.1 connections have had their time. HTTP/2 connections keep a timer instead. */
export class ConnectionAges {
  readonly #maxAgeMs: number;
  readonly #random: Random;
  readonly #endsMs = new WeakMap<Socket, number>();

  constructor(maxAgeMs: number, random: Random) {
    this.#maxAgeMs = maxAgeMs;
    this.#random = random;
  }

  /** A connection was opened. */
  begin(socket: Socket, nowMs: number): void {
    this.#endsMs.set(socket, nowMs + drawMaxAgeMs(this.#maxAgeMs, this.#random));
  }

  /** Whether an answer must be the last one on its connection. */
  isOver(socket: Socket, nowMs: number): boolean {
    return nowMs >= (this.#endsMs.get(socket) ?? Number.POSITIVE_INFINITY);
  }
}
