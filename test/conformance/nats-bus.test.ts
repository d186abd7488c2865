import { setImmediate as nextTurn } from "node:timers/promises";
import type { NatsBus } from "../../src/bus/nats-bus.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { describeHealthBus } from "../support/health-bus-contract.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { openTestBus, whenState } from "../support/open-test-bus.ts";

describe("buses over a real nats-server", () => {
  let server: TestNatsServer;

  before(async function () {
    server = await startNatsServer(await needNatsServer(this));
  });

  after(() => server?.remove());

  describeHealthBus("over NATS", async () => {
    const clock = new FakeClock();
    const buses: NatsBus[] = [];
    /** A PING comes back after all that went before it on its connection, so two rounds bring everything everywhere. */
    const settleAll = async () => {
      for (let round = 0; round < 2; round++) {
        await Promise.all(buses.map((bus) => bus.flush()));
        await nextTurn();
      }
    };
    return {
      async connect() {
        const { bus } = openTestBus([server.port], { replicaId: `r${buses.length}` }, { clock });
        buses.push(bus);
        await whenState(bus, "connected");
        return bus;
      },
      async until(condition) {
        await eventually(() => {
          if (!condition()) throw new Error("it does not come true");
        }, 5_000);
      },
      async pass(ms) {
        // An answer takes a way of its own.
        await settleAll();
        await settleAll();
        await clock.advance(ms);
      },
      async close() {
        await Promise.all(buses.map((bus) => bus.close()));
      },
    };
  });
});
