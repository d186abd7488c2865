/** After this long a disabled credential is tried again: somebody may have paid, or changed the key. */
const DISABLED_MS = 900_000;

/** Whether a provider's credential works: a refused or exhausted one is left alone for 15 min or until an operator resets it. */
export class CredentialState {
  #disabledUntilMs = 0;
  #isUsedUp = false;

  /** Until when it is disabled, by the Clock; 0 when it is not. */
  get disabledUntilMs(): number {
    return this.#disabledUntilMs;
  }

  /** Whether it was last disabled for want of credit, and not because the key was refused. */
  get isUsedUp(): boolean {
    return this.#isUsedUp;
  }

  /** The provider refused the key, or, if `isUsedUp`, the account has no credit. */
  disable(nowMs: number, isUsedUp = false): void {
    if (!Number.isFinite(nowMs)) return;
    this.#isUsedUp = isUsedUp;
    this.#disabledUntilMs = Math.max(this.#disabledUntilMs, nowMs + DISABLED_MS);
  }

  /** An operator says that it works, or an attempt has proved it. */
  reset(): void {
    this.#disabledUntilMs = 0;
  }
}
