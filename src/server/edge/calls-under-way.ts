import type { CallScope } from "./call-scope.ts";

/** Every request that has not closed yet, and whether new ones are taken. */
export class CallsUnderWay {
  readonly #scopes = new Set<CallScope>();
  #refusing = false;
  #onEmpty: (() => void) | undefined;

  /** True once a drain refuses new calls. */
  get refusing(): boolean {
    return this.#refusing;
  }

  get count(): number {
    return this.#scopes.size;
  }

  add(scope: CallScope): void {
    this.#scopes.add(scope);
  }

  remove(scope: CallScope): void {
    this.#scopes.delete(scope);
    if (this.#scopes.size > 0) return;
    const fn = this.#onEmpty;
    this.#onEmpty = undefined;
    fn?.();
  }

  /** From now on new calls are refused, and calls that never end by themselves are told to stop. */
  refuseNew(): void {
    this.#refusing = true;
    for (const scope of [...this.#scopes]) if (scope.endless) scope.cancel("shutdown");
  }

  /** Tells every call that is left to stop. */
  cancelAll(): void {
    for (const scope of [...this.#scopes]) scope.cancel("shutdown");
  }

  /** Calls `fn` when no call is left; at once if none is. Only one waits at a time. */
  onceEmpty(fn: () => void): void {
    if (this.#scopes.size === 0) fn();
    else this.#onEmpty = fn;
  }
}
