import {
  type AttemptBudgetRule,
  type AttemptBudgetState,
  depositRequest,
  openBudget,
  withdrawAttempt,
} from "../core/attempt-budget.ts";
import type { Clock } from "../domain/ports.ts";

/** The extra attempts this process may still make. */
export class AttemptBudget {
  readonly #rule: AttemptBudgetRule;
  readonly #clock: Clock;
  #state: AttemptBudgetState;

  constructor(rule: AttemptBudgetRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
    this.#state = openBudget(rule, clock.nowMs());
  }

  /** Whole attempts that could be bought now. */
  get balance(): number {
    return Math.floor(this.#state.balance);
  }

  /** A request came in and pays its share. */
  deposit(): void {
    this.#state = depositRequest(this.#rule, this.#state, this.#clock.nowMs());
  }

  /** Buys one extra attempt; false when there is no money for it. */
  withdraw(): boolean {
    const next = withdrawAttempt(this.#rule, this.#state, this.#clock.nowMs());
    if (next !== undefined) this.#state = next;
    return next !== undefined;
  }
}
