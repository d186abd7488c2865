import { expect } from "chai";
import fc from "fast-check";
import type { Cleanup } from "../../../src/domain/ports.ts";
import { QuotaQueue } from "../../../src/policies/quota-queue.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A queue at limits whose state a test sets. */
class QueueBench {
  readonly clock = new FakeClock();
  roomDelayMs: number | undefined = Number.POSITIVE_INFINITY;
  spacingMs: number | undefined = 1_000;
  replicaCount = Number.POSITIVE_INFINITY;
  readonly turns: string[] = [];
  readonly queue: QuotaQueue;

  constructor(maxWaitingCount = 100) {
    this.queue = new QuotaQueue({
      clock: this.clock,
      random: { next: () => 0.5 },
      pace: {
        roomDelayMs: () => this.roomDelayMs,
        spacingMs: () => this.spacingMs,
        countReplicas: () => this.replicaCount,
      },
      maxWaitingCount,
    });
  }

  wait(name: string): Cleanup {
    return this.queue.wait(() => this.turns.push(name));
  }
}

describe("the queue at a deployment's limits", () => {
  it("goes by this replica's even share while others take what comes free", async () => {
    const bench = new QueueBench();
    for (const name of ["first", "second", "third"]) bench.wait(name);
    for (const [afterMs, turns] of [
      [499, []],
      [1, ["first"]],
      [999, ["first"]],
      [1, ["first", "second"]],
      [1_000, ["first", "second", "third"]],
    ] as const) {
      await bench.clock.advance(afterMs);
      expect(bench.turns).to.deep.equal(turns);
    }
    expect(bench.clock.pendingCount).to.equal(0);
  });

  it("keeps a replica that is alone to what there is, whatever chance says", async () => {
    const bench = new QueueBench();
    bench.replicaCount = 1;
    bench.wait("first");
    await bench.clock.advance(999);
    expect(bench.turns).to.deep.equal([]);
    await bench.clock.advance(1);
    expect(bench.turns).to.deep.equal(["first"]);
  });

  it("is faster where there is room for everybody's next one", async () => {
    const bench = new QueueBench();
    bench.roomDelayMs = 100;
    bench.wait("first");
    bench.wait("second");
    await bench.clock.advance(99);
    bench.roomDelayMs = 0;
    await bench.clock.advance(1);
    expect(bench.turns).to.deep.equal(["first"]);
    await bench.clock.advance(50);
    expect(bench.turns).to.deep.equal(["first", "second"]);
  });

  it("looks again where the room that was foreseen was taken by others, at most every 50 ms", async () => {
    const bench = new QueueBench();
    let lookCount = 0;
    const queue = new QuotaQueue({
      clock: bench.clock,
      random: { next: () => 0 },
      pace: {
        roomDelayMs: () => {
          lookCount += 1;
          return 1;
        },
        spacingMs: () => 1_000,
        countReplicas: () => 1,
      },
      maxWaitingCount: 1,
    });
    queue.wait(() => {});
    await bench.clock.advance(990);
    // Each look asks twice: whether there is room, and when there will be.
    expect(lookCount).to.be.within(20, 42);
    await bench.clock.advance(10);
    expect(queue.waitingCount).to.equal(0);
  });

  it("tells a newcomer when its turn is to be expected, and learns it from the turns before", async () => {
    const bench = new QueueBench();
    expect(bench.queue.turnDelayMs).to.equal(1_000);
    bench.wait("first");
    expect(bench.queue.turnDelayMs).to.equal(1_500);
    bench.roomDelayMs = 0;
    for (let waiter = 0; waiter < 40; waiter++) bench.wait("next");
    await bench.clock.advance(1_500);
    expect(bench.queue.waitingCount).to.be.within(19, 22);
    const { waitingCount, turnDelayMs = 0 } = bench.queue;
    expect(turnDelayMs).to.be.within(waitingCount * 50, waitingCount * 50 + 1_000);
  });

  it("takes nobody in who cannot be told a turn: no known limit, or no place", () => {
    const bench = new QueueBench(1);
    bench.spacingMs = undefined;
    expect(bench.queue.turnDelayMs).to.equal(undefined);
    bench.spacingMs = 1_000;
    bench.wait("first");
    expect(bench.queue.turnDelayMs).to.equal(undefined);
  });

  it("stands once somebody has waited for 45 s, but for moments, until nobody has for 10 s", async () => {
    const bench = new QueueBench();
    bench.spacingMs = 4_000;
    for (let second = 0; second < 44; second += 4) {
      bench.wait("one at a time");
      expect(bench.queue.isStanding, `after ${second} s`).to.equal(false);
      await bench.clock.advance(4_000);
    }
    await bench.clock.advance(1_000);
    expect([bench.queue.waitingCount, bench.queue.isStanding]).to.deep.equal([0, true]);
    await bench.clock.advance(8_000);
    expect(bench.queue.isStanding).to.equal(false);
    bench.wait("later");
    expect(bench.queue.isStanding).to.equal(false);
  });

  it("serves in order everybody who does not leave, and keeps no timer (property)", async () => {
    const step = fc.oneof(
      fc.constant("enter" as const),
      fc.record({ leave: fc.nat(20) }),
      fc.record({ afterMs: fc.nat(3_000) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const bench = new QueueBench();
        const waiting = new Map<string, Cleanup>();
        const wanted: string[] = [];
        let count = 0;
        for (const each of steps) {
          if (each === "enter") {
            const name = String(count++);
            wanted.push(name);
            waiting.set(name, bench.wait(name));
          } else if ("leave" in each) {
            const name = String(each.leave);
            waiting.get(name)?.();
            if (!bench.turns.includes(name) && wanted.includes(name)) wanted.splice(wanted.indexOf(name), 1);
          } else await bench.clock.advance(each.afterMs);
        }
        await bench.clock.advance(1_000 * (count + 1));
        expect(bench.turns).to.deep.equal(wanted);
        expect(bench.clock.pendingCount).to.equal(0);
      }),
      { numRuns: 50 },
    );
  });
});
