import { expect } from "chai";
import { seededRandom } from "../../../../src/lib/random.ts";
import type { BreakerFacts, BreakerPermit, BreakerVerdict } from "../../../../src/policies/breaker.ts";
import { ADAPTIVE, BreakerBench, COUNTING } from "./breaker-bench.ts";
import { ReferenceBreaker, type ReferenceRule } from "./reference-breaker.ts";

/** 10^5 unless told otherwise; the release job runs 10^6. */
const HISTORY_COUNT = Number(process.env.SLUICE_BREAKER_HISTORIES ?? 100_000);
const STEP_COUNT = 12;
/** A breaker lives through so many histories: most bugs need more than one outage. */
const LIFE_COUNT = 25;
const VERDICTS: readonly BreakerVerdict[] = ["success", "success", "failure", "failure", "ignore", "limited"];
const STATISTICS = [0, 4.4, 4.6, 7.9, 9.66];
const WAITS_MS = [1, 200, 999, 1_000, 3_000, 12_000, 40_000, 310_000];
const FACTS: readonly BreakerFacts[] = [{}, {}, { retryAfterMs: 2_500 }, { hung: true }];

type Draw = () => number;
type Ticket = NonNullable<ReturnType<ReferenceBreaker["acquire"]>>;

function pick<T>(draw: Draw, items: readonly T[]): T {
  const item = items[Math.floor(draw() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** A breaker and its reference, side by side through the same random life. */
class Twins {
  readonly bench: BreakerBench;
  readonly reference: ReferenceBreaker;
  readonly #draw: Draw;
  readonly #permits: { permit: BreakerPermit; ticket: Ticket }[] = [];

  constructor(rule: ReferenceRule, draw: Draw, seed: number) {
    const options = rule.adaptive
      ? { ...ADAPTIVE, halfOpenRequests: rule.slotCount, maxPermitAgeMs: rule.maxPermitAgeMs }
      : { ...COUNTING, halfOpenRequests: rule.slotCount, maxPermitAgeMs: rule.maxPermitAgeMs };
    this.bench = new BreakerBench(options, seededRandom(seed));
    const chance = seededRandom(seed);
    this.reference = new ReferenceBreaker(rule, () => chance.next());
    this.#draw = draw;
  }

  step(): void {
    const nowMs = this.bench.clock.ms;
    const choice = this.#draw();
    if (choice < 0.35) this.#take(nowMs);
    else if (choice < 0.75) this.#settle(nowMs);
    else if (choice < 0.85) this.#assess(nowMs);
    else if (choice < 0.97) this.bench.wait(pick(this.#draw, WAITS_MS));
    else if (choice < 0.99) this.#take(nowMs, true);
    else {
      this.bench.breaker.reset();
      this.reference.reset();
    }
    this.#compare();
  }

  #take(nowMs: number, early = false): void {
    const permit = early ? this.bench.breaker.acquireEarly() : this.bench.breaker.acquire();
    const ticket = early ? this.reference.acquireEarly(nowMs) : this.reference.acquire(nowMs);
    this.#expectSame(permit === undefined, ticket === undefined, "acquire");
    if (permit !== undefined && ticket !== undefined) this.#permits.push({ permit, ticket });
  }

  /** Mostly a young permit; some are never settled, some late, some twice. */
  #settle(nowMs: number): void {
    const position = Math.floor(this.#draw() ** 0.5 * this.#permits.length);
    const chosen = this.#permits[position];
    if (chosen === undefined) return;
    this.#permits.splice(position, 1);
    const [verdict, facts] = [pick(this.#draw, VERDICTS), pick(this.#draw, FACTS)];
    const counted = chosen.permit.settle(verdict, facts);
    this.#expectSame(counted, this.reference.settle(chosen.ticket, verdict, facts, nowMs), "settle");
    if (this.#draw() < 0.1) this.#expectSame(chosen.permit.settle("failure"), false, "second settle");
    if (this.#permits.length > 40) this.#permits.splice(0, 20);
  }

  #assess(nowMs: number): void {
    const [statistic, coupled] = [pick(this.#draw, STATISTICS), this.#draw() < 0.2];
    const facts = pick(this.#draw, FACTS);
    this.bench.breaker.assess(statistic, facts, coupled);
    this.reference.assess(statistic, coupled, facts, nowMs);
  }

  #compare(): void {
    const { breaker, clock } = this.bench;
    const { reference } = this;
    this.#expectSame(breaker.nextProbeDelayMs, reference.nextProbeDelayMs(clock.ms), "nextProbeDelayMs");
    this.#expectSame(breaker.state, reference.state, "state");
    this.#expectSame(breaker.available, reference.available(clock.ms), "available");
    this.#expectSame(breaker.admittedRatio, reference.admittedRatio(clock.ms), "admittedRatio");
    this.#expectSame(breaker.consecutiveFailureCount, reference.failures, "consecutiveFailureCount");
  }

  /** As `expect(…).to.equal(…)`, which would take most of the time of a million comparisons. */
  #expectSame(actual: unknown, expected: unknown, what: string): void {
    if (actual !== expected) expect(actual, `${what} at ${this.bench.clock.ms}`).to.equal(expected);
  }
}

describe("the circuit breaker and its reference model", () => {
  const rules: readonly [string, ReferenceRule][] = [1, 3].flatMap((slotCount) => {
    const rest = { failureThreshold: 3, recoveryTimeMs: 1_000, slotCount, maxPermitAgeMs: 5_000 };
    return [
      [`counting, ${slotCount} at once`, { adaptive: false, ...rest }],
      [`adaptive, ${slotCount} at once`, { adaptive: true, ...rest }],
    ] as [string, ReferenceRule][];
  });
  for (const [seed, [name, rule]] of rules.entries()) {
    it(`agree over random histories: ${name}`, function () {
      this.timeout(60_000);
      const random = seededRandom(seed + 1);
      const draw = () => random.next();
      const seen = new Set<string>();
      for (let life = 0; life < HISTORY_COUNT / rules.length / LIFE_COUNT; life++) {
        const twins = new Twins(rule, draw, life);
        for (let step = 0; step < STEP_COUNT * LIFE_COUNT; step++) twins.step();
        for (const state of twins.bench.transitions) seen.add(state);
        twins.bench.breaker.close();
      }
      expect(seen).to.have.keys("open", "half_open", "closed");
    });
  }
});
