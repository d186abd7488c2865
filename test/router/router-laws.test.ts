import { expect } from "chai";
import fc from "fast-check";
import { EXTRA_RATIO, RandomWalk, type Walk, walks } from "./random-walk.ts";
import { ECHELON_LIMITS, TARGET_NAMES, WALK_MODELS } from "./walk-targets.ts";

/** A request's whole story in one word: s(tarted), w (switched), e(vents), then one end. */
const STORY = /^(f|s(w*)e*[Ff])$/;
const LETTERS: Readonly<Record<string, string>> = {
  started: "s",
  switched: "w",
  events: "e",
  finished: "F",
  failed: "f",
};

/** Where the fake clock begins. */
const BEGIN_MS = 1_000;
const ROUNDING = 1e-9;

/** Two answers of at most two attempts, and one judgement. */
const MAX_DOUBLE_ATTEMPTS = 5;

async function play(walk: Walk): Promise<RandomWalk> {
  const random = new RandomWalk(walk);
  await random.run(walk.steps);
  await random.end();
  return random;
}

/** Checks a law over random walks; the seed is fixed, so that a failure repeats. */
async function check(law: (random: RandomWalk, walk: Walk) => void | Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(walks, async (walk) => {
      const random = await play(walk);
      await law(random, walk);
      random.bench.routing.close();
    }),
    { numRuns: 260, seed: 4_711 },
  );
}

describe("laws of the router, over random walks", function () {
  this.timeout(20_000);

  it("every request has one end, nothing comes after it, and what comes before is in order", async () => {
    await check(({ requests, requestEndCount }) => {
      for (const { consumer } of requests) {
        const story = consumer.log.map((line) => LETTERS[line.split(" ")[0] ?? ""]).join("");
        expect(story).to.match(STORY);
        expect(consumer.late).to.deep.equal([]);
      }
      expect(requestEndCount).to.equal(requests.length);
    });
  });

  it("every attempt is settled once and told to its request, and whoever did not end was aborted", async () => {
    await check(({ requests, attempts, settled }) => {
      expect(settled).to.have.length(attempts.length);
      const told = requests.flatMap(
        ({ consumer }) => consumer.result?.attempts ?? consumer.error?.failed?.attempts ?? [],
      );
      expect(told).to.have.length(attempts.length);
      for (const { attempt, over } of attempts) expect(over || attempt.aborted).to.equal(true);
    });
  });

  it("no request makes more attempts than it may, and numbers them without a gap", async () => {
    await check(({ requests }, { maxAttempts }) => {
      for (const { consumer, isDouble } of requests) {
        const records = consumer.result?.attempts ?? consumer.error?.failed?.attempts ?? [];
        expect(records.length).to.be.at.most(isDouble ? MAX_DOUBLE_ATTEMPTS : Math.max(maxAttempts, 3));
        const numbers = records.map(({ attemptNumber }) => attemptNumber).toSorted((a, b) => a - b);
        expect(numbers).to.deep.equal(numbers.map((_, index) => index + 1));
      }
    });
  });

  it("no timer is left, no place is taken and nobody waits once all requests have ended", async () => {
    await check(({ bench }) => {
      expect(bench.clock.pendingCount).to.equal(0);
      for (const deployment of WALK_MODELS.flatMap((model) => model.deployments)) {
        const { limit, tally } = bench.deployments.entry(deployment);
        expect(limit).to.include({ inUseCount: 0, waitingCount: 0 });
        expect(tally.summarize().inFlightCount).to.equal(0);
      }
      expect(bench.requests.inFlightCount).to.equal(0);
    });
  });

  it("nothing is sent before a provider's Retry-After, nor with a refused credential", async () => {
    await check(({ tooEarly }) => {
      expect(tooEarly).to.deep.equal([]);
    });
  });

  it("an echelon never has more attempts in flight or per minute than its limits allow", async () => {
    await check(({ settled }) => {
      const own = settled.filter(({ record }) => record.tier === "group.echelon1");
      for (const { startedMs } of own) {
        const beside = own.filter((one) => one.startedMs <= startedMs && one.endedMs > startedMs);
        expect(beside.length).to.be.at.most(ECHELON_LIMITS.concurrencyLimit);
        const inMinute = own.filter(
          (one) => one.startedMs <= startedMs && one.startedMs > startedMs - 60_000,
        );
        expect(inMinute.length).to.be.at.most(ECHELON_LIMITS.rpmLimit);
      }
    });
  });

  it("retries and fallbacks together are no more than requests and time have paid for", async () => {
    await check(({ requests, settled }, { extraPerSecond }) => {
      const extra = settled.filter(
        ({ record }) => record.purpose === "retry" || record.purpose === "fallback",
      );
      const lastMs = Math.max(...extra.map(({ startedMs }) => startedMs), BEGIN_MS);
      const paidCount =
        EXTRA_RATIO * requests.length + extraPerSecond * (1 + (lastMs - BEGIN_MS) / 1_000) + ROUNDING;
      expect(extra.length).to.be.at.most(paidCount);
    });
  });

  it("an hour later every target serves again, whatever happened", async () => {
    await check(async (random) => {
      await random.bench.clock.advance(3_600_000);
      for (const name of TARGET_NAMES) {
        const { consumer, handle } = random.bench.route({ target: { kind: "named", name } });
        expect(consumer.log[0], name).to.match(/^started/);
        handle.cancel("caller_gone");
      }
      expect(random.bench.clock.pendingCount).to.equal(0);
    });
  });
});
