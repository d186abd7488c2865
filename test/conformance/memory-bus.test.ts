import { expect } from "chai";
import { MemoryMesh } from "../../src/bus/memory-bus.ts";
import type { HealthBus } from "../../src/domain/health-bus.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { describeHealthBus, makeBusMessage } from "../support/health-bus-contract.ts";

describeHealthBus("in one process", async () => {
  const clock = new FakeClock();
  const mesh = new MemoryMesh(clock);
  const buses: HealthBus[] = [];
  return {
    async connect() {
      const bus = mesh.connect();
      buses.push(bus);
      return bus;
    },
    async until(condition) {
      for (let round = 0; round < 100 && !condition(); round++) await clock.advance(10);
      if (!condition()) throw new Error("the condition never held");
    },
    pass: (ms) => clock.advance(ms),
    async close() {
      for (const bus of buses) await bus.close();
      expect(clock.pendingCount).to.equal(0);
    },
  };
});

describe("the bus in one process", () => {
  it("drops what is published faster than it can be delivered", async () => {
    const clock = new FakeClock();
    const mesh = new MemoryMesh(clock);
    const [sender, receiver] = [mesh.connect(), mesh.connect()];
    let count = 0;
    receiver.subscribe("a", () => {
      count += 1;
    });
    const accepted = Array.from({ length: 10_010 }, () => sender.publish(makeBusMessage("a")));
    await clock.advance(1);
    expect(accepted.filter((taken) => taken)).to.have.length(10_000);
    expect(count).to.equal(10_000);
    await sender.close();
    await receiver.close();
  });
});
