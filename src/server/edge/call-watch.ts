import type { Cleanup, Clock } from "../../domain/ports.ts";
import type { BodyMeter } from "./body-meter.ts";
import type { Wire } from "./wire.ts";

/** How often calls under way are looked at. */
const SWEEP_INTERVAL_MS = 1_000;

interface Watched {
  readonly wire: Wire;
  readonly meter: BodyMeter;
  /** The count of bytes that the peer had taken when that last changed, and when that was. */
  takenBytes: number;
  takenMs: number;
}

/**
 * Looks at all calls under way now and then, with one timer for all: breaks off those
 * whose answer nobody reads, and asks for bodies that come too slowly.
 */
export class CallWatch {
  readonly #clock: Clock;
  readonly #stallTimeoutMs: number;
  readonly #calls = new Set<Watched>();
  #stopTimer: Cleanup | undefined;

  constructor(clock: Clock, stallTimeoutMs: number) {
    this.#clock = clock;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  /** Watches a call until the returned function is called. */
  watch(wire: Wire, meter: BodyMeter): Cleanup {
    const call: Watched = { wire, meter, takenBytes: 0, takenMs: this.#clock.nowMs() };
    this.#calls.add(call);
    this.#stopTimer ??= this.#clock.timer(SWEEP_INTERVAL_MS, () => this.#sweep());
    return () => {
      this.#calls.delete(call);
      if (this.#calls.size > 0) return;
      this.#stopTimer?.();
      this.#stopTimer = undefined;
    };
  }

  #sweep(): void {
    this.#stopTimer = this.#clock.timer(SWEEP_INTERVAL_MS, () => this.#sweep());
    const nowMs = this.#clock.nowMs();
    for (const call of [...this.#calls]) {
      call.meter.checkPace(nowMs);
      const { pendingBytes, writtenBytes } = call.wire;
      const takenBytes = writtenBytes - pendingBytes;
      if (pendingBytes === 0 || takenBytes !== call.takenBytes) {
        call.takenBytes = takenBytes;
        call.takenMs = nowMs;
      } else if (nowMs - call.takenMs >= this.#stallTimeoutMs) {
        call.wire.abort();
      }
    }
  }
}
