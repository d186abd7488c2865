import { expect } from "chai";
import { InvariantViolation } from "../../sim/check/invariant-violation.ts";
import { CallRules } from "../../sim/fleet/sluice-rules.ts";

function makeRules(): { rules: CallRules; time: { nowMs: number } } {
  const time = { nowMs: 0 };
  return { rules: new CallRules("a/a-max", () => time.nowMs, 2), time };
}

describe("the rules of calls to one endpoint", () => {
  it("let no call through while the breaker is open, as a stock breaker that is only asked late would", () => {
    const { rules } = makeRules();
    rules.enter("open");
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
      rules.enter("open");
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
