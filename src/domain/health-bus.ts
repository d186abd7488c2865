import type { Cleanup } from "./ports.ts";

/** Whether other replicas can be reached through a bus. */
export type BusState = "connected" | "connecting" | "refused" | "closed";

/** A message between replicas, or to whoever subscribes. */
export interface BusMessage {
  /** Tokens of `a-z 0-9 - _` and what `escapeSubjectToken` makes, joined by dots. */
  readonly subject: string;
  /** The full name of the protobuf message in `payload`. */
  readonly type: string;
  readonly payload: Uint8Array;
  /** The bytes that it came in, where `payload` is made of them only when it is asked for; else left out. */
  readonly wireBytes?: number;
  /** W3C trace context of the request that the message tells of. */
  readonly traceparent?: string;
}

/** How long and for how many answers `ask` waits. */
export interface AskLimits {
  readonly maxAnswers: number;
  readonly timeoutMs: number;
}

/** Why a bus gave a message up; see `BusDropReason` in metrics.proto. */
export const BUS_DROP_REASONS = [
  "unconnected",
  "send_queue_full",
  "unsendable",
  "receive_queue_full",
  "unreadable",
  "forbidden",
] as const;

export type BusDropReason = (typeof BUS_DROP_REASONS)[number];

/** What a bus over a network has been through since it was opened. */
export interface BusCounts {
  /** Connections that were made: the first, and each reconnection. */
  readonly connectionCount: number;
  /** Attempts to connect that failed, and connections that ended. */
  readonly failureCount: number;
  /** Messages that have arrived and wait to be handled, now. */
  readonly waitingCount: number;
  /** Bytes sent of which the server has not yet said that it has them, now. */
  readonly unansweredBytes: number;
  readonly droppedCounts: ReadonlyMap<BusDropReason, number>;
}

/**
 * Carries messages between replicas, at most once each: messages may be lost, late, doubled or
 * out of order, and no replica hears its own. Nothing here blocks, waits or throws, whatever
 * state the network is in: a request never notices its bus.
 */
export interface HealthBus {
  readonly state: BusState;
  /** Hands a message over; false when it was dropped, because nobody can be reached or too much waits to be sent. */
  publish(message: BusMessage): boolean;
  /** Hears messages whose subject matches: `*` stands for one token, `>` at the end for one or more. */
  subscribe(pattern: string, listener: (message: BusMessage) => void): Cleanup;
  /** Asks everybody who answers on the subject; answers come one by one until a limit is reached or the cleanup is called. */
  ask(question: BusMessage, limits: AskLimits, onAnswer: (answer: BusMessage) => void): Cleanup;
  /** Answers questions on a subject; `undefined` leaves a question to others. */
  answer(subject: string, respond: (question: BusMessage) => BusMessage | undefined): Cleanup;
  onStateChange(listener: (state: BusState) => void): Cleanup;
  /** Hands over what waits, then lets go. Resolves in bounded time, whatever the network does. */
  close(): Promise<void>;
}
