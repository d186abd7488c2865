import { expect } from "chai";
import { InvariantViolation } from "../../sim/check/invariant-violation.ts";
import { CallRules } from "../../sim/fleet/sluice-rules.ts";
import { SpendingRules } from "../../sim/fleet/spending-rules.ts";

function makeRules(): { rules: CallRules; time: { nowMs: number } } {
  const time = { nowMs: 0 };
  return { rules: new CallRules("a/a-max", () => time.nowMs, 2), time };
}

/** A failed call, and the breaker that opens by it. */
function open(rules: CallRules): void {
  rules.begin()(undefined, false);
  rules.settle();
  rules.enter("open");
}

describe("the rules of calls to one endpoint", () => {
  it("let no call through while the breaker is open, as a stock breaker that is only asked late would", () => {
    const { rules } = makeRules();
    open(rules);
    expect(() => rules.begin()).to.throw(InvariantViolation, "I7");
  });

  it("let one probe through at a time, where a stock half-open breaker can be asked twice", () => {
    const { rules } = makeRules();
    rules.enter("half_open");
    const end = rules.begin();
    expect(() => rules.begin()).to.throw(InvariantViolation, "I7");
    const other = makeRules().rules;
    other.enter("half_open");
    other.begin()(undefined, true);
    expect(() => other.begin()).to.not.throw();
    end(undefined, true);
  });

  it("let no call through before a Retry-After is over", () => {
    const { rules, time } = makeRules();
    rules.begin()(5_000, false);
    time.nowMs = 4_999;
    expect(() => rules.begin()).to.throw(InvariantViolation, "I7");
    time.nowMs = 5_000;
    expect(() => rules.begin()).to.not.throw();
  });

  it("do not count a call from before the breaker changed as a probe", () => {
    const { rules } = makeRules();
    const old = rules.begin();
    rules.enter("half_open");
    rules.begin();
    old(undefined, true);
    expect(() => rules.begin()).to.throw(InvariantViolation, "I7");
  });

  it("let the breaker close only after as many good probes as the rule asks for", () => {
    for (const [succeeded, closes] of [
      [true, true],
      [false, false],
    ] as const) {
      const { rules } = makeRules();
      open(rules);
      rules.enter("half_open");
      rules.begin()(undefined, true);
      rules.begin()(undefined, succeeded);
      if (closes) expect(() => rules.enter("closed")).to.not.throw();
      else expect(() => rules.enter("closed")).to.throw(InvariantViolation, "1 good probes");
    }
  });

  it("let no call be settled that was not made", () => {
    const { rules } = makeRules();
    rules.begin();
    rules.settle();
    expect(() => rules.settle()).to.throw(InvariantViolation, "settled twice");
  });

  it("let no call stay unsettled", () => {
    const { rules } = makeRules();
    rules.begin()(undefined, true);
    expect(() => rules.checkSettled()).to.throw(InvariantViolation, "1 calls are never settled");
    rules.settle();
    rules.checkSettled();
  });

  it("let no breaker open by what others say alone", () => {
    const { rules } = makeRules();
    expect(() => rules.enter("open")).to.throw(InvariantViolation, "without a bad call of its own");
    const later = makeRules().rules;
    open(later);
    later.enter("half_open");
    for (let probe = 0; probe < 2; probe++) later.begin()(undefined, true);
    later.enter("closed");
    expect(() => later.enter("open")).to.throw(InvariantViolation, "without a bad call of its own");
    const silent = makeRules().rules;
    silent.begin();
    silent.enter("open");
  });

  it("let no breaker stay half-open without a probe", () => {
    const { rules, time } = makeRules();
    rules.enter("half_open");
    time.nowMs = 660_000;
    rules.checkAlive();
    time.nowMs += 1;
    expect(() => rules.checkAlive()).to.throw(InvariantViolation, "not probed");
  });

  it("count the time without a probe from the end of what the provider asked for, an hour at the most", () => {
    for (const [askedMs, heededMs] of [
      [500_000, 500_000],
      [7_200_000, 3_600_000],
    ] as const) {
      const { rules, time } = makeRules();
      rules.enter("half_open");
      rules.begin()(askedMs, false);
      time.nowMs = heededMs + 660_000;
      rules.checkAlive();
      time.nowMs += 1;
      expect(() => rules.checkAlive()).to.throw(InvariantViolation, "not probed");
    }
  });
});

describe("the rules of extra calls", () => {
  const rule = { ratio: 0.05, perSecond: 0 };

  it("let one hedge through for each twenty requests, and five that were saved", () => {
    const hedges = new SpendingRules("hedges", rule, 0, 0);
    expect(() => hedges.spend(0)).to.throw(InvariantViolation, "I5: hedges exceed");
    const saved = new SpendingRules("hedges", rule, 0, 0);
    for (let request = 0; request < 1_000; request++) saved.deposit(request);
    for (let hedge = 0; hedge < 5; hedge++) saved.spend(1_000);
    expect(() => saved.spend(1_000)).to.throw(InvariantViolation);
  });

  it("add what a reserve gives by the second", () => {
    const retries = new SpendingRules("retries", { ratio: 0, perSecond: 2 }, 0, 0);
    for (let retry = 0; retry < 20; retry++) retries.spend(60_000);
    expect(() => retries.spend(60_000)).to.throw(InvariantViolation);
  });
});
