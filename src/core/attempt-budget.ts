/**
 * Extra attempts are bought: a share of the requests, and a few per second so that a
 * quiet service may retry at all (after Finagle's RetryBudget). Pure: the state goes in
 * and comes out. Over any period, withdrawals ≤ ratio × deposits + perSecond × (seconds + BANK_SECONDS).
 */
export interface AttemptBudgetRule {
  /** Extra attempts that each request pays for, 0 or more: 0.2 allows one in five. */
  readonly ratio: number;
  /** Extra attempts allowed per second besides, 0 or more. */
  readonly perSecond: number;
}

export interface AttemptBudgetState {
  /** Attempts that could be bought at `atMs`. */
  readonly balance: number;
  readonly atMs: number;
}

/** How long what is not spent is kept, in seconds of the reserve; and how many requests' shares. */
const BANK_SECONDS = 10;
const BANK_REQUESTS = 100;

/** The balance a process begins with: the reserve of one second. */
export function openBudget(rule: AttemptBudgetRule, nowMs: number): AttemptBudgetState {
  return { balance: rule.perSecond, atMs: nowMs };
}

/** A request came in. */
export function depositRequest(
  rule: AttemptBudgetRule,
  state: AttemptBudgetState,
  nowMs: number,
): AttemptBudgetState {
  const accrued = accrue(rule, state, nowMs);
  return { balance: Math.min(accrued.balance + rule.ratio, maxBalance(rule)), atMs: accrued.atMs };
}

/** Buys one extra attempt; undefined when the balance is less than one. */
export function withdrawAttempt(
  rule: AttemptBudgetRule,
  state: AttemptBudgetState,
  nowMs: number,
): AttemptBudgetState | undefined {
  const accrued = accrue(rule, state, nowMs);
  return accrued.balance < 1 ? undefined : { balance: accrued.balance - 1, atMs: accrued.atMs };
}

function accrue(rule: AttemptBudgetRule, state: AttemptBudgetState, nowMs: number): AttemptBudgetState {
  const elapsedMs = Math.max(nowMs - state.atMs, 0);
  const balance = Math.min(state.balance + (rule.perSecond * elapsedMs) / 1_000, maxBalance(rule));
  return { balance, atMs: state.atMs + elapsedMs };
}

function maxBalance(rule: AttemptBudgetRule): number {
  return rule.perSecond * BANK_SECONDS + rule.ratio * BANK_REQUESTS;
}
