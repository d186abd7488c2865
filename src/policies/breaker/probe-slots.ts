/** Names one taken slot; never used twice. */
export type ProbeTicket = number;

/**
 * The slots for probes of a half-open breaker. A slot whose probe does not end is
 * taken back by age, so that a hung probe never blocks a deployment for good.
 */
export class ProbeSlots {
  readonly #slotCount: number;
  readonly #maxAgeMs: number;
  readonly #takenMs = new Map<ProbeTicket, number>();
  #lastTicket = 0;

  /** `slotCount`: 1 or more. */
  constructor(slotCount: number, maxAgeMs: number) {
    this.#slotCount = slotCount;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Whether a slot is free, or held for so long that it is taken back. */
  hasRoom(nowMs: number): boolean {
    if (this.#takenMs.size < this.#slotCount) return true;
    for (const takenMs of this.#takenMs.values()) {
      if (nowMs - takenMs >= this.#maxAgeMs) return true;
    }
    return false;
  }

  /** Takes a slot that `hasRoom` promised. */
  take(nowMs: number): ProbeTicket {
    for (const [ticket, takenMs] of this.#takenMs) {
      if (nowMs - takenMs >= this.#maxAgeMs) this.#takenMs.delete(ticket);
    }
    this.#lastTicket += 1;
    this.#takenMs.set(this.#lastTicket, nowMs);
    return this.#lastTicket;
  }

  /** Frees a slot, if it is still held. */
  free(ticket: ProbeTicket): void {
    this.#takenMs.delete(ticket);
  }

  /** Frees all slots. */
  clear(): void {
    this.#takenMs.clear();
  }
}
