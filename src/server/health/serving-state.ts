import type { Cleanup } from "../../domain/ports.ts";

/**
 * Whether this replica wants calls, in one place for health, `/readyz` and drain.
 * It does while it is ready and not draining; draining is for good.
 */
export class ServingState {
  readonly #listeners = new Set<(serving: boolean) => void>();
  #ready: boolean;
  #draining = false;

  constructor(ready = false) {
    this.#ready = ready;
  }

  get serving(): boolean {
    return this.#ready && !this.#draining;
  }

  /** Says whether the replica could serve a call, for example because a model can be routed to. */
  setReady(ready: boolean): void {
    this.#change(() => {
      this.#ready = ready;
    });
  }

  /** From now on the replica does not serve, whatever `setReady` says. */
  startDraining(): void {
    this.#change(() => {
      this.#draining = true;
    });
  }

  /** Calls `fn` at every change until it is cleaned up. */
  onChange(fn: (serving: boolean) => void): Cleanup {
    const listener = (serving: boolean): void => fn(serving);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #change(apply: () => void): void {
    const before = this.serving;
    apply();
    if (this.serving === before) return;
    for (const listener of [...this.#listeners]) listener(this.serving);
  }
}
