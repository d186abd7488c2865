import { expect } from "chai";
import fc from "fast-check";
import type { HealthVerdict } from "../../../src/core/failure-policy.ts";
import type { BreakerState } from "../../../src/domain/metrics.ts";
import { Breaker, type BreakerPermit } from "../../../src/policies/breaker.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const RECOVERY_MS = 1_000;
const THRESHOLD = 3;

function makeBreaker() {
  const clock = new FakeClock();
  const transitions: BreakerState[] = [];
  const options = { failureThreshold: THRESHOLD, recoveryTimeMs: RECOVERY_MS };
  const breaker = new Breaker(clock, options, (state) => transitions.push(state));
  const attempt = (verdict: HealthVerdict) => take(breaker).settle(verdict);
  return { clock, breaker, transitions, attempt };
}

function take(breaker: Breaker): BreakerPermit {
  const permit = breaker.acquire();
  if (permit === undefined) throw new Error("the breaker gave no permit");
  return permit;
}

async function openThenHalfOpen() {
  const made = makeBreaker();
  for (let failure = 0; failure < THRESHOLD; failure++) made.attempt("failure");
  await made.clock.advance(RECOVERY_MS);
  return made;
}

describe("the circuit breaker", () => {
  it("opens at the threshold of consecutive failures, not before", () => {
    const { breaker, attempt } = makeBreaker();
    attempt("failure");
    attempt("failure");
    attempt("success");
    attempt("failure");
    attempt("failure");
    expect(breaker.state).to.equal("closed");
    attempt("failure");
    expect([breaker.state, breaker.acquire(), breaker.nextProbeDelayMs]).to.deep.equal([
      "open",
      undefined,
      RECOVERY_MS,
    ]);
  });

  it("half-opens when the open time is over by the Clock, and gives one permit", async () => {
    const { breaker, clock, attempt, transitions } = makeBreaker();
    for (let failure = 0; failure < THRESHOLD; failure++) attempt("failure");
    await clock.advance(RECOVERY_MS - 1);
    expect(breaker.state).to.equal("open");
    await clock.advance(1);
    expect(breaker.state).to.equal("half_open");
    take(breaker);
    expect(breaker.available).to.equal(false);
    expect(transitions).to.deep.equal(["open", "half_open"]);
  });

  it("closes on a good probe and starts counting anew", async () => {
    const { breaker, attempt, transitions } = await openThenHalfOpen();
    attempt("success");
    attempt("failure");
    attempt("failure");
    expect(breaker.state).to.equal("closed");
    expect(transitions).to.deep.equal(["open", "half_open", "closed"]);
  });

  it("opens again on a bad probe, for the whole time", async () => {
    const { breaker, attempt } = await openThenHalfOpen();
    attempt("failure");
    expect([breaker.state, breaker.nextProbeDelayMs]).to.deep.equal(["open", RECOVERY_MS]);
  });

  it("is not healed by a probe that says nothing: the caller left, or the request was wrong", async () => {
    const { breaker, attempt } = await openThenHalfOpen();
    attempt("ignore");
    expect([breaker.state, breaker.available]).to.deep.equal(["half_open", true]);
  });

  for (const verdict of ["success", "failure"] as const) {
    it(`is not moved by a late ${verdict} of an attempt from before the outage`, async () => {
      const { breaker, clock, attempt } = makeBreaker();
      const old = take(breaker);
      for (let failure = 0; failure < THRESHOLD; failure++) attempt("failure");
      await clock.advance(RECOVERY_MS);
      expect(breaker.state).to.equal("half_open");
      old.settle(verdict);
      expect([breaker.state, breaker.available]).to.deep.equal(["half_open", true]);
    });
  }

  it("does not count attempts in flight", () => {
    const { breaker, attempt } = makeBreaker();
    for (let flying = 0; flying < 20; flying++) take(breaker);
    for (let failure = 0; failure < THRESHOLD; failure++) attempt("failure");
    expect(breaker.state).to.equal("open");
  });

  it("counts a permit once however often it is settled", () => {
    const { breaker } = makeBreaker();
    const permit = take(breaker);
    for (let time = 0; time < THRESHOLD; time++) permit.settle("failure");
    expect([breaker.state, breaker.consecutiveFailureCount]).to.deep.equal(["closed", 1]);
  });

  it("holds the process up by no timer", () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const { breaker, clock, attempt } = makeBreaker();
    for (let failure = 0; failure < THRESHOLD; failure++) attempt("failure");
    expect(clock.pendingCount).to.equal(0);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")).to.have.length(before);
    breaker.close();
  });

  it("agrees with the reference model over random histories (property)", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("take" as const) }),
      fc.record({
        kind: fc.constant("settle" as const),
        which: fc.nat(20),
        verdict: fc.constantFrom<HealthVerdict>("success", "failure", "ignore"),
      }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 400, 999, 1_000, 1_500) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { breaker, clock } = makeBreaker();
        const model = new ReferenceBreaker();
        const permits: { permit: BreakerPermit; ticket: number }[] = [];
        for (const each of steps) {
          if (each.kind === "take") {
            const permit = breaker.acquire();
            const ticket = model.acquire(clock.nowMs());
            expect(permit === undefined).to.equal(ticket === undefined);
            if (permit !== undefined && ticket !== undefined) permits.push({ permit, ticket });
          } else if (each.kind === "settle" && permits.length > 0) {
            const [chosen] = permits.splice(each.which % permits.length, 1);
            chosen?.permit.settle(each.verdict);
            if (chosen !== undefined) model.settle(chosen.ticket, each.verdict, clock.nowMs());
          } else if (each.kind === "wait") {
            await clock.advance(each.ms);
          }
          expect(breaker.state).to.equal(model.look(clock.nowMs()));
        }
        breaker.close();
      }),
      { numRuns: 300 },
    );
  });
});

/** The rule of the breaker in its plainest form. */
class ReferenceBreaker {
  #state: BreakerState = "closed";
  #era = 0;
  #failures = 0;
  #openUntilMs = 0;
  #probeOut = false;

  look(nowMs: number): BreakerState {
    if (this.#state === "open" && nowMs >= this.#openUntilMs) this.#go("half_open");
    return this.#state;
  }

  acquire(nowMs: number): number | undefined {
    const state = this.look(nowMs);
    if (state === "open" || (state === "half_open" && this.#probeOut)) return undefined;
    this.#probeOut = state === "half_open";
    return this.#era;
  }

  settle(era: number, verdict: HealthVerdict, nowMs: number): void {
    if (era !== this.#era) return;
    const probe = this.#state === "half_open";
    this.#probeOut = false;
    if (verdict === "success") {
      this.#failures = 0;
      if (probe) this.#go("closed");
    } else if (verdict === "failure") {
      this.#failures += 1;
      if (probe || this.#failures >= THRESHOLD) {
        this.#openUntilMs = nowMs + RECOVERY_MS;
        this.#go("open");
      }
    }
  }

  #go(state: BreakerState): void {
    this.#state = state;
    this.#era += 1;
    this.#probeOut = false;
  }
}
