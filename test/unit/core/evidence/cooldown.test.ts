import { expect } from "chai";
import fc from "fast-check";
import { Cooldown } from "../../../../src/core/evidence/cooldown.ts";
import { CredentialState } from "../../../../src/core/evidence/credential-state.ts";

describe("the cooldown after a refusal", () => {
  it("lasts as long as the provider asks, at most an hour", () => {
    const cooldown = new Cooldown();
    cooldown.extend(1_000, 5_000, 0.5);
    expect(cooldown.untilMs).to.equal(6_000);
    cooldown.extend(1_000, 86_400_000, 0.5);
    expect(cooldown.untilMs).to.equal(3_601_000);
  });

  it("is never shortened by a later refusal (property)", () => {
    const retryAfterMs = fc.option(fc.double(), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double(), retryAfterMs, fc.nat(999))), (refusals) => {
        const cooldown = new Cooldown();
        let untilMs = 0;
        for (const [nowMs, askedMs, chance] of refusals) {
          cooldown.extend(nowMs, askedMs, chance / 1_000);
          expect(cooldown.untilMs).to.be.at.least(untilMs);
          expect(Number.isFinite(cooldown.untilMs)).to.equal(true);
          untilMs = cooldown.untilMs;
        }
      }),
    );
  });

  it("backs off from 1 s, doubling to 60 s, when the provider names no time", () => {
    const cooldown = new Cooldown();
    const waits: number[] = [];
    for (let refusal = 0; refusal < 8; refusal++) {
      const nowMs = cooldown.untilMs;
      cooldown.extend(nowMs, undefined, 0.5);
      waits.push((cooldown.untilMs - nowMs) / 1_000);
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it("spreads the back-off by a quarter each way", () => {
    const [early, late] = [new Cooldown(), new Cooldown()];
    early.extend(0, undefined, 0);
    late.extend(0, undefined, 0.9999);
    expect([early.untilMs, Math.round(late.untilMs)]).to.deep.equal([750, 1_250]);
  });

  it("counts the refusals of one burst as one", () => {
    const cooldown = new Cooldown();
    for (let refusal = 0; refusal < 20; refusal++) cooldown.extend(refusal, undefined, 0.5);
    expect(cooldown.untilMs).to.equal(1_000);
  });

  it("begins small again after a success, or a long time", () => {
    for (const forget of [(each: Cooldown) => each.relax(each.untilMs), () => {}]) {
      const cooldown = new Cooldown();
      for (let refusal = 0; refusal < 5; refusal++) cooldown.extend(cooldown.untilMs, undefined, 0.5);
      forget(cooldown);
      const nowMs = cooldown.untilMs + 121_000;
      cooldown.extend(nowMs, undefined, 0.5);
      expect(cooldown.untilMs - nowMs).to.equal(1_000);
    }
    const soon = new Cooldown();
    for (let refusal = 0; refusal < 5; refusal++) soon.extend(soon.untilMs, undefined, 0.5);
    soon.relax(soon.untilMs);
    const nowMs = soon.untilMs;
    soon.extend(nowMs, undefined, 0.5);
    expect(soon.untilMs - nowMs).to.equal(1_000);
  });
});

describe("a success that began before the wait was over", () => {
  it("does not make the next back-off small: it says nothing about what was refused since", () => {
    const cooldown = new Cooldown();
    for (let refusal = 0; refusal < 3; refusal++) cooldown.extend(cooldown.untilMs, undefined, 0.5);
    cooldown.relax(cooldown.untilMs - 1);
    const nowMs = cooldown.untilMs;
    cooldown.extend(nowMs, undefined, 0.5);
    expect(cooldown.untilMs - nowMs).to.equal(8_000);
  });
});

describe("the state of a credential", () => {
  it("is disabled for 15 min, or until an operator resets it", () => {
    const credential = new CredentialState();
    expect(credential.disabledUntilMs).to.equal(0);
    credential.disable(1_000);
    credential.disable(500);
    expect(credential.disabledUntilMs).to.equal(901_000);
    credential.reset();
    expect(credential.disabledUntilMs).to.equal(0);
  });
});
