import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { InboundQueue } from "../../../src/bus/inbound-queue.ts";

describe("the queue of what comes in", () => {
  function fill(queue: InboundQueue<number>, count: number, bytes: number): void {
    for (let item = 0; item < count; item++) if (queue.admits(bytes)) queue.push(item, bytes);
  }

  it("hands everything over, in order, and never within push", async () => {
    const handled: number[] = [];
    const queue = new InboundQueue<number>((item) => handled.push(item));
    fill(queue, 1_000, 1);
    expect(handled).to.deep.equal([]);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(handled).to.deep.equal(Array.from({ length: 1_000 }, (_, item) => item));
  });

  it("lets others have their turns while much waits", async () => {
    let handledCount = 0;
    const queue = new InboundQueue<number>(() => {
      handledCount += 1;
    });
    fill(queue, 1_000, 1);
    await nextTurn();
    await nextTurn();
    expect(handledCount).to.be.greaterThan(0).and.lessThan(1_000);
  });

  it("drops and counts what is above its number or its bytes, and takes more when there is room again", async () => {
    let handledCount = 0;
    const handle = () => {
      handledCount += 1;
    };
    const byCount = new InboundQueue<number>(handle, { maxMessages: 10, maxBytes: 1_000_000 });
    fill(byCount, 25, 1);
    const byBytes = new InboundQueue<number>(handle, { maxMessages: 1_000, maxBytes: 100 });
    fill(byBytes, 25, 10);
    expect([byCount.droppedCount, byBytes.droppedCount]).to.deep.equal([15, 15]);
    await nextTurn();
    await nextTurn();
    expect(handledCount).to.equal(20);
    fill(byCount, 10, 1);
    fill(byBytes, 10, 10);
    expect([byCount.droppedCount, byBytes.droppedCount]).to.deep.equal([15, 15]);
  });

  it("keeps its bound when it is filled while it works", () => {
    let handledCount = 0;
    const queue: InboundQueue<number> = new InboundQueue<number>(
      () => {
        handledCount += 1;
      },
      { maxMessages: 100, maxBytes: 1_000 },
    );
    fill(queue, 5_000, 1);
    expect([handledCount, queue.droppedCount]).to.deep.equal([0, 4_900]);
    queue.clear();
    fill(queue, 100, 1);
    expect(queue.droppedCount).to.equal(4_900);
    queue.clear();
  });

  it("forgets what waits when it is cleared", async () => {
    let handledCount = 0;
    const queue = new InboundQueue<number>(() => {
      handledCount += 1;
    });
    fill(queue, 10, 1);
    queue.clear();
    await nextTurn();
    await nextTurn();
    expect(handledCount).to.equal(0);
  });
});
