import { toBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import type { StreamGenerateResponse } from "../../../gen/sluice/v1/router_service_pb.ts";
import { StreamGenerateResponseSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import { approximateBytes } from "../../../src/server/connect/approximate-bytes.ts";
import { MessageQueue } from "../../../src/server/connect/message-queue.ts";
import { makeDelta } from "../../rpc/server/fake-methods.ts";

describe("MessageQueue", () => {
  const makeBatch = (count: number, text?: string): StreamGenerateResponse[] =>
    Array.from({ length: count }, (_, index) => makeDelta(index, text));

  it("gives what was pushed, in order, then ends", async () => {
    const queue = new MessageQueue();
    const first = queue.next();
    const [a, b, c] = makeBatch(3);
    if (a === undefined || b === undefined || c === undefined) throw new Error("too few");
    queue.push([a, b]);
    queue.push([c]);
    queue.end();
    expect([await first, await queue.next(), await queue.next()].map(({ value }) => value)).to.deep.equal([
      a,
      b,
      c,
    ]);
    expect(await queue.next()).to.deep.equal({ done: true, value: undefined });
  });

  it("is full from 256 messages on", () => {
    const queue = new MessageQueue();
    expect(queue.push(makeBatch(255))).to.equal(true);
    expect(queue.push(makeBatch(1))).to.equal(false);
  });

  it("is full from 64 KiB on", () => {
    const queue = new MessageQueue();
    expect(queue.push(makeBatch(1, "x".repeat(60 * 1024)))).to.equal(true);
    expect(queue.push(makeBatch(1, "x".repeat(4 * 1024)))).to.equal(false);
  });

  it("takes what was given when it was full, and says once when half of it is gone", async () => {
    const queue = new MessageQueue();
    let drainCount = 0;
    queue.onDrain(() => drainCount++);
    expect(queue.push(makeBatch(1_000))).to.equal(false);
    for (let taken = 0; taken < 871; taken++) await queue.next();
    expect(drainCount).to.equal(0);
    await queue.next();
    expect(drainCount).to.equal(1);
    for (let left = 128; left > 0; left--) expect((await queue.next()).done).to.equal(false);
    expect(drainCount).to.equal(1);
  });

  it("says nothing of room when it was never full", async () => {
    const queue = new MessageQueue();
    queue.onDrain(() => {
      throw new Error("drained");
    });
    queue.push(makeBatch(10));
    for (let taken = 0; taken < 10; taken++) await queue.next();
  });

  it("ends with an error after what was queued before it", async () => {
    const queue = new MessageQueue();
    queue.push(makeBatch(1));
    queue.end(new Error("broken"));
    expect((await queue.next()).done).to.equal(false);
    expect(await queue.next().catch((error: Error) => error.message)).to.equal("broken");
  });

  it("throws what is queued away when it is abandoned, and wakes its reader", async () => {
    const waiting = new MessageQueue();
    const next = waiting.next().catch((error: Error) => error.message);
    waiting.abandon(new Error("gone"));
    expect(await next).to.equal("gone");
    const queued = new MessageQueue();
    queued.push(makeBatch(10));
    queued.abandon(new Error("gone"));
    expect(await queued.next().catch((error: Error) => error.message)).to.equal("gone");
    expect(queued.push(makeBatch(1_000))).to.equal(true);
  });

  it("gives every message once and in order, however pushes and reads are mixed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -400, max: 400 }), { maxLength: 20 }), async (steps) => {
        const queue = new MessageQueue();
        let pushedCount = 0;
        let readCount = 0;
        const read = async (): Promise<void> => {
          const { value } = await queue.next();
          expect(value).to.have.property("sequenceNumber", readCount++);
        };
        for (const step of steps) {
          if (step > 0) {
            const start = pushedCount;
            queue.push(Array.from({ length: step }, (_, index) => makeDelta(start + index)));
            pushedCount += step;
          } else {
            // Connect asks for one message at a time.
            for (let count = 0; count < -step && readCount < pushedCount; count++) await read();
          }
        }
        while (readCount < pushedCount) await read();
        queue.end();
        expect((await queue.next()).done).to.equal(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe("approximateBytes", () => {
  it("is near the size on the wire for texts of some length", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 100, maxLength: 2_000 }), (text) => {
        const message = makeDelta(7, text);
        const wireBytes = toBinary(StreamGenerateResponseSchema, message).length;
        expect(approximateBytes(message)).to.be.within(wireBytes * 0.8, wireBytes * 1.2);
      }),
    );
  });
});
