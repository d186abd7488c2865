import { expect } from "chai";
import fc from "fast-check";
import {
  type AttemptBudgetState,
  depositRequest,
  openBudget,
  withdrawAttempt,
} from "../../../src/core/attempt-budget.ts";
import { computeBackoffMs } from "../../../src/core/backoff.ts";
import { decideNextStep, type StepFacts } from "../../../src/core/next-step.ts";
import { FAILURE_CLASSES } from "../../../src/domain/outcome.ts";

describe("back-off", () => {
  const strategy = { maxRetries: 5, baseDelayMs: 1_000, maxDelayMs: 30_000, multiplier: 2, jitterRatio: 0 };
  for (const [retry, want] of [
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [6, 30_000],
    [1_000, 30_000],
  ] as const) {
    it(`waits ${want} ms before retry ${retry} (seed 002: base, doubling, a maximum)`, () => {
      expect(computeBackoffMs(strategy, retry, 0.5)).to.equal(want);
    });
  }

  it("takes off at most the jitter's share, by chance (property)", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (retry, chance) => {
        const full = computeBackoffMs(strategy, retry, chance);
        const jittered = computeBackoffMs({ ...strategy, jitterRatio: 0.25 }, retry, chance);
        expect(jittered).to.be.within(full * 0.75, full);
      }),
    );
  });
});

describe("the budget of extra attempts", () => {
  it("never allows more than the ratio of the requests and the reserve (property)", () => {
    const step = fc.record({
      waitMs: fc.nat(2_000),
      kind: fc.constantFrom("request", "extra"),
    });
    const rule = { ratio: 0.2, perSecond: 3 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        let nowMs = 0;
        let state: AttemptBudgetState = openBudget(rule, nowMs);
        let requests = 0;
        let extras = 0;
        for (const { waitMs, kind } of steps) {
          nowMs += waitMs;
          if (kind === "request") {
            requests += 1;
            state = depositRequest(rule, state, nowMs);
          } else {
            const next = withdrawAttempt(rule, state, nowMs);
            if (next !== undefined) {
              extras += 1;
              state = next;
            }
          }
          expect(extras).to.be.at.most(rule.ratio * requests + rule.perSecond * (nowMs / 1_000 + 1) + 1e-6);
        }
      }),
    );
  });

  it("allows nothing with an empty rule, and forgets what was saved for long", () => {
    const none = { ratio: 0, perSecond: 0 };
    expect(withdrawAttempt(none, depositRequest(none, openBudget(none, 0), 1e9), 2e9)).to.equal(undefined);
    const rule = { ratio: 0, perSecond: 1 };
    let state: AttemptBudgetState | undefined = openBudget(rule, 0);
    let bought = 0;
    while (state !== undefined) {
      state = withdrawAttempt(rule, state, 1e9);
      if (state !== undefined) bought += 1;
    }
    expect(bought).to.equal(10);
  });
});

describe("the step after a failed attempt", () => {
  const facts: StepFacts = {
    failureClass: "server_error",
    committed: false,
    attemptCount: 1,
    maxAttempts: 3,
    retryCount: 0,
    maxRetries: 1,
    retryable: true,
    hasFallback: true,
    prefersSame: false,
    backoffMs: 500,
    retryAfterMs: undefined,
    remainingMs: 30_000,
    expectedMs: 1_000,
  };
  const rows: readonly (readonly [string, Partial<StepFacts>, ReturnType<typeof decideNextStep>])[] = [
    ["another deployment when there is one", {}, { kind: "fall_back", scope: "any" }],
    [
      "the same one after the back-off when there is no other",
      { hasFallback: false },
      { kind: "retry", delayMs: 500 },
    ],
    ["the same one first under simple_retry", { prefersSame: true }, { kind: "retry", delayMs: 500 }],
    [
      "another one under simple_retry when retries are used up",
      { prefersSame: true, retryCount: 1 },
      { kind: "fall_back", scope: "any" },
    ],
    [
      "the provider's delay when it is the longer one",
      { failureClass: "rate_limit", hasFallback: false, retryAfterMs: 2_000 },
      { kind: "retry", delayMs: 2_000 },
    ],
    [
      "nothing when the delay leaves no time",
      { hasFallback: false, retryAfterMs: 29_500 },
      { kind: "give_up" },
    ],
    [
      "nothing when the class is not to be retried",
      { hasFallback: false, retryable: false },
      { kind: "give_up" },
    ],
    ["nothing after a commit", { committed: true }, { kind: "give_up" }],
    ["nothing after the last attempt", { attemptCount: 3 }, { kind: "give_up" }],
    ["nothing after the caller's own error", { failureClass: "invalid_request" }, { kind: "give_up" }],
    [
      "another provider after a refused credential",
      { failureClass: "auth", retryable: false },
      { kind: "fall_back", scope: "other_provider" },
    ],
  ];
  for (const [name, changes, want] of rows) {
    it(`is ${name}`, () => expect(decideNextStep({ ...facts, ...changes })).to.deep.equal(want));
  }

  it("never passes the limits, whatever the facts (property)", () => {
    const any = fc.record({
      failureClass: fc.constantFrom(...FAILURE_CLASSES),
      committed: fc.boolean(),
      attemptCount: fc.integer({ min: 1, max: 6 }),
      maxAttempts: fc.integer({ min: 1, max: 5 }),
      retryCount: fc.nat(4),
      maxRetries: fc.nat(4),
      retryable: fc.boolean(),
      hasFallback: fc.boolean(),
      prefersSame: fc.boolean(),
      backoffMs: fc.nat(10_000),
      retryAfterMs: fc.option(fc.nat(60_000), { nil: undefined }),
      remainingMs: fc.nat(60_000),
      expectedMs: fc.nat(10_000),
    });
    fc.assert(
      fc.property(any, (given) => {
        const step = decideNextStep(given);
        if (given.committed || given.attemptCount >= given.maxAttempts) expect(step.kind).to.equal("give_up");
        if (step.kind === "retry") {
          expect(given.retryCount).to.be.below(given.maxRetries);
          expect(step.delayMs).to.be.at.least(given.retryAfterMs ?? 0);
          expect(step.delayMs + given.expectedMs).to.be.below(given.remainingMs);
        }
        if (step.kind === "fall_back") expect(given.hasFallback).to.equal(true);
      }),
    );
  });
});
