import type { AttemptBudgetRule } from "../../src/core/attempt-budget.ts";
import { InvariantViolation } from "../check/invariant-violation.ts";

const KEPT_SECONDS = 10;
const KEPT_REQUESTS = 100;
/** Sums of shares such as 0.05 are not exact. */
const ROUNDING = 1e-6;

/**
 * I5: the extra calls of one replica stay within what its requests pay for. Counted anew from the calls that
 * are made; what a replica does not spend is kept up to the shares of 100 requests and 10 s of the reserve.
 */
export class SpendingRules {
  readonly #what: string;
  readonly #rule: AttemptBudgetRule;
  /** Bought in advance by at most so many: what is bought first and waits before it is called. */
  readonly #slackCount: number;
  #balance: number;
  #atMs: number;

  constructor(what: string, rule: AttemptBudgetRule, slackCount: number, nowMs: number) {
    this.#what = what;
    this.#rule = rule;
    this.#slackCount = slackCount;
    this.#balance = rule.perSecond;
    this.#atMs = nowMs;
  }

  /** A request has arrived. */
  deposit(nowMs: number): void {
    this.#add(this.#rule.ratio, nowMs);
  }

  /** An extra call begins. Throws `InvariantViolation`. */
  spend(nowMs: number): void {
    this.#add(0, nowMs);
    this.#balance -= 1;
    if (this.#balance < -this.#slackCount - ROUNDING)
      throw new InvariantViolation("I5", `${this.#what} exceed what requests have paid for`);
  }

  #add(share: number, nowMs: number): void {
    const { ratio, perSecond } = this.#rule;
    const most = perSecond * KEPT_SECONDS + ratio * KEPT_REQUESTS;
    this.#balance = Math.min(this.#balance + share + (perSecond * (nowMs - this.#atMs)) / 1_000, most);
    this.#atMs = nowMs;
  }
}
