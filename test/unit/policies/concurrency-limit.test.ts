import { expect } from "chai";
import fc from "fast-check";
import type { Cleanup } from "../../../src/domain/ports.ts";
import { ConcurrencyLimit } from "../../../src/policies/concurrency-limit.ts";

describe("the concurrency limit", () => {
  it("lets everybody in without a limit", () => {
    const limit = new ConcurrencyLimit(undefined, 0);
    for (let place = 0; place < 1_000; place++) expect(limit.tryAcquire()).to.equal(true);
  });

  it("does not let a newcomer overtake those who wait", () => {
    const limit = new ConcurrencyLimit(2, 5);
    limit.tryAcquire();
    limit.tryAcquire();
    const served: string[] = [];
    limit.wait(() => served.push("first"));
    limit.wait(() => served.push("second"));
    limit.release();
    expect([limit.tryAcquire(), served]).to.deep.equal([false, ["first"]]);
  });

  it("never passes the limit, serves in order, and loses no place (property)", () => {
    const action = fc.constantFrom("enter", "release", "leave");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(action, { maxLength: 80 }), (size, actions) => {
        const limit = new ConcurrencyLimit(size, 3);
        let inUse = 0;
        let nextTicket = 0;
        const served: number[] = [];
        const waiting: { ticket: number; leave: Cleanup }[] = [];
        for (const each of actions) {
          if (each === "enter") {
            if (limit.tryAcquire()) inUse += 1;
            else {
              const ticket = nextTicket++;
              const leave = limit.wait(() => {
                inUse += 1;
                served.push(ticket);
                waiting.splice(
                  waiting.findIndex((waiter) => waiter.ticket === ticket),
                  1,
                );
              });
              if (leave === undefined) expect(waiting).to.have.length(3);
              else waiting.push({ ticket, leave });
            }
          } else if (each === "release" && inUse > 0) {
            inUse -= 1;
            limit.release();
          } else if (each === "leave") {
            waiting.pop()?.leave();
          }
          expect(limit.inUseCount).to.equal(inUse);
          expect(limit.waitingCount).to.equal(waiting.length);
          expect(inUse).to.be.at.most(size);
        }
        expect(served).to.deep.equal(served.toSorted((a, b) => a - b));
      }),
    );
  });
});
