import type { Clock, LogFields, Logger } from "../domain/ports.ts";

const QUIET_MS = 60_000;

/** Logs a warning of one kind at most once a minute, and says then how many were left out. */
export class RareLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, { untilMs: number; leftOutCount: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** `message` is the kind: one of a few fixed sentences. */
  warn(message: string, fields: LogFields = {}): void {
    const nowMs = this.#clock.nowMs();
    const kind = this.#kinds.get(message);
    if (kind !== undefined && nowMs < kind.untilMs) {
      kind.leftOutCount += 1;
      return;
    }
    this.#kinds.set(message, { untilMs: nowMs + QUIET_MS, leftOutCount: 0 });
    const count = kind?.leftOutCount ?? 0;
    this.#logger.warn(message, count === 0 ? fields : { ...fields, count });
  }
}
