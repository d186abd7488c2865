import { spawnSync } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { expect } from "chai";
import type { NatsBus, NatsBusPorts } from "../../src/bus/nats-bus.ts";
import type { NatsSettings } from "../../src/bus/nats-link.ts";
import type { Clock } from "../../src/domain/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { makeBusMessage } from "../support/health-bus-contract.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { openTestBus, whenState } from "../support/open-test-bus.ts";

const QUICK_PING = { intervalMs: 50, maxUnanswered: 2 };
const GREETING = `INFO ${JSON.stringify({ version: "2.9.10", proto: 1, max_payload: 1_024 })}\r\n`;
/** Waits pass twenty times as fast; the network is the real one. */
const hastyClock: Clock = {
  ...systemClock,
  timer: (delayMs, fn) => systemClock.timer(delayMs / 20, fn),
};

describe("the bus over NATS when NATS misbehaves", () => {
  let program: string;
  const leftovers: (() => Promise<unknown>)[] = [];

  before(async function () {
    program = await needNatsServer(this);
  });

  afterEach(async () => {
    for (const clean of leftovers.splice(0).toReversed()) await clean();
  });

  async function startServer(config?: string): Promise<TestNatsServer> {
    const server = await startNatsServer(program, config);
    leftovers.push(() => server.remove());
    return server;
  }

  function openBus(
    ports: readonly number[],
    settings?: Partial<NatsSettings>,
    machine?: Partial<NatsBusPorts>,
  ) {
    const opened = openTestBus(ports, settings, machine);
    leftovers.push(() => opened.bus.close());
    return opened;
  }

  async function openConnected(ports: readonly number[], replicaId: string): Promise<NatsBus> {
    const { bus } = openBus(ports, { replicaId });
    await whenState(bus, "connected");
    return bus;
  }

  /** Publishes until the other hears it: subscriptions take a moment to reach the server. */
  async function expectDelivery(from: NatsBus, to: NatsBus): Promise<void> {
    let heardCount = 0;
    const stop = to.subscribe("probe", () => {
      heardCount += 1;
    });
    await to.flush();
    expect(from.publish(makeBusMessage("probe"))).to.equal(true);
    await eventually(() => expect(heardCount).to.equal(1), 5_000);
    stop();
  }

  it("drops and counts while no server is there, and connects when one comes", async () => {
    const server = await startServer();
    await server.stop();
    const { bus, lines } = openBus([server.port]);
    expect(bus.publish(makeBusMessage("a"))).to.equal(false);
    await eventually(() => expect(lines.map(({ reason }) => reason)).to.deep.equal(["ECONNREFUSED"]));
    expect([bus.state, bus.readCounts().droppedUnconnected]).to.deep.equal(["connecting", 1]);
    await server.start();
    await whenState(bus, "connected");
    expect(bus.publish(makeBusMessage("a"))).to.equal(true);
  });

  it("comes back after a restart, with its subscriptions, questions and answers", async () => {
    const server = await startServer();
    const [bus, other] = [await openConnected([server.port], "r1"), await openConnected([server.port], "r2")];
    const heard: string[] = [];
    bus.subscribe("health.*", ({ subject }) => heard.push(subject));
    bus.answer("sync", () => makeBusMessage("sync"));
    await server.stop();
    await Promise.all([whenState(bus, "connecting"), whenState(other, "connecting")]);
    await server.start();
    await Promise.all([whenState(bus, "connected"), whenState(other, "connected")]);
    await bus.flush();
    other.publish(makeBusMessage("health.r2"));
    const answers: string[] = [];
    other.ask(makeBusMessage("sync"), { maxAnswers: 1, timeoutMs: 5_000 }, ({ type }) => answers.push(type));
    await eventually(() => expect([heard.length, answers.length]).to.deep.equal([1, 1]), 5_000);
  });

  it("goes on after a refusal, for ever, until the server is set right", async () => {
    const users = (password: string) => `authorization { users: [{ user: r1, password: ${password} }] }`;
    const server = await startServer(users("other"));
    const password = { kind: "password", user: "r1", password: new Secret("right-horse") } as const;
    const { bus, lines } = openBus([server.port], { credentials: password }, { clock: hastyClock });
    await whenState(bus, "refused");
    // The package nats would give up after the second equal refusal.
    await eventually(() => expect(bus.readCounts().failures).to.be.at.least(4), 5_000);
    expect(bus.state).to.equal("refused");
    await server.stop();
    await server.start(users("right-horse"));
    await whenState(bus, "connected");
    expect(lines.map(({ reason }) => reason)[0]).to.equal("the server refuses the credentials");
    expect(JSON.stringify(lines)).not.to.include("right-horse");
  });

  it("bounds what a frozen server leaves waiting, and says so by its return", async () => {
    const server = await startServer();
    const { bus } = openBus([server.port]);
    await whenState(bus, "connected");
    server.freeze();
    const payload = new Uint8Array(4_096);
    let acceptedBytes = 0;
    for (let count = 0; count < 5_000; count++) {
      if (bus.publish({ subject: "a", type: "t", payload })) acceptedBytes += payload.length;
    }
    expect(acceptedBytes)
      .to.be.greaterThan(0)
      .and.at.most(2 ** 20);
    expect(bus.readCounts().droppedFull).to.be.greaterThan(4_000);
    server.thaw();
    await eventually(() => expect(bus.publish(makeBusMessage("a"))).to.equal(true), 5_000);
    expect(bus.state).to.equal("connected");
  });

  it("counts a frozen server as not connected before it gives it up, and goes on with it when it thaws", async () => {
    const server = await startServer();
    const ping = { intervalMs: 100, maxUnanswered: 1_000 };
    const { bus, lines } = openBus([server.port], {}, { ping });
    await whenState(bus, "connected");
    const states: string[] = [];
    bus.onStateChange((state) => states.push(state));
    server.freeze();
    await whenState(bus, "connecting");
    expect(bus.publish(makeBusMessage("a"))).to.equal(false);
    expect(JSON.stringify(lines.at(-1))).to.include("does not answer");
    server.thaw();
    await whenState(bus, "connected");
    expect([states, bus.readCounts().connections]).to.deep.equal([["connecting", "connected"], 1]);
    await expectDelivery(bus, await openConnected([server.port], "r2"));
  });

  it("gives a frozen server up, keeps no socket of it, and comes back when it thaws", async () => {
    const server = await startServer();
    const { bus } = openBus([server.port], {}, { clock: hastyClock, ping: QUICK_PING });
    await whenState(bus, "connected");
    const other = await openConnected([server.port], "r2");
    server.freeze();
    // What waits to be written must not keep the dead connection alive either.
    const payload = new Uint8Array(64 * 1_024);
    while (bus.publish({ subject: "a", type: "t", payload }));
    await whenState(bus, "connecting");
    const socketCount = countSockets();
    await eventually(() => expect(bus.readCounts().failures).to.be.at.least(6), 5_000);
    expect(countSockets()).to.be.at.most(socketCount + 1);
    server.thaw();
    await Promise.all([whenState(bus, "connected"), whenState(other, "connected")]);
    await expectDelivery(bus, other);
    await expectDelivery(other, bus);
    expect(bus.readCounts().connections).to.equal(2);
  });

  it("closes in bounded time on a frozen server", async () => {
    const server = await startServer();
    const clock = new FakeClock();
    const { bus } = openBus([server.port], {}, { clock });
    await whenState(bus, "connected");
    server.freeze();
    bus.publish(makeBusMessage("a"));
    const closed = bus.close();
    await clock.advance(2_000);
    await closed;
    expect([bus.state, clock.pendingCount]).to.deep.equal(["closed", 0]);
  });

  it("closes at once while it cannot connect", async () => {
    const clock = new FakeClock();
    const { bus } = openBus([await findClosedPort()], {}, { clock });
    await eventually(() => expect(clock.pendingCount).to.equal(1));
    await bus.close();
    expect([bus.state, clock.pendingCount]).to.deep.equal(["closed", 0]);
  });

  it("comes back when the server threw it out for reading too slowly", async () => {
    const server = await startServer("max_pending: 1MB\nwrite_deadline: 1s");
    const { bus } = openBus([server.port]);
    await whenState(bus, "connected");
    let heardCount = 0;
    bus.subscribe("flood", () => {
      heardCount += 1;
    });
    await bus.flush();
    const dropped = whenState(bus, "connecting");
    floodFromAnotherProcess(server.url, { count: 600, bytes: 100_000 });
    await dropped;
    await whenState(bus, "connected");
    expect(heardCount).to.be.lessThan(600);
    await expectDelivery(await openConnected([server.port], "r2"), bus);
  });

  it("does not send what is above the server's max_payload, which would end the connection", async () => {
    const server = await startServer("max_payload: 2KB");
    const [bus, other] = [await openConnected([server.port], "r1"), await openConnected([server.port], "r2")];
    expect(bus.publish({ subject: "a", type: "t", payload: new Uint8Array(4_096) })).to.equal(false);
    expect(bus.readCounts()).to.include({ droppedUnsendable: 1, connections: 1 });
    await expectDelivery(bus, other);
  });

  it("tells of a max_payload that evidence does not fit into", async () => {
    for (const [encoding, maxPayload, isTold] of [
      ["protobuf", "15KB", true],
      ["protobuf", "16KB", false],
      ["json", "127KB", true],
      ["json", "128KB", false],
    ] as const) {
      const { bus, lines } = openBus([(await startServer(`max_payload: ${maxPayload}`)).port], { encoding });
      await whenState(bus, "connected");
      expect(JSON.stringify(lines).includes("max_payload is too small"), maxPayload).to.equal(isTold);
    }
  });

  for (const subject of ["", "a b", "a\r\nPUB b 0", "a..b", ".a", "a.", "a.*", "a.>", ">", "é"]) {
    it(`does not send to ${JSON.stringify(subject)}`, async () => {
      const server = await startServer();
      const bus = await openConnected([server.port], "r1");
      expect(bus.publish(makeBusMessage(subject))).to.equal(false);
      expect(bus.readCounts().droppedUnsendable).to.equal(1);
    });
  }

  it("does not send headers that would be two", async () => {
    const server = await startServer();
    const bus = await openConnected([server.port], "r1");
    expect(bus.publish(makeBusMessage("a", "text", "00-aa\r\nX: y"))).to.equal(false);
  });

  it("leaves a server that says it will stop, for the next in the list", async () => {
    const [first, second] = [await startServer(), await startServer()];
    const { bus } = openBus([first.port, second.port]);
    await whenState(bus, "connected");
    const connecting = whenState(bus, "connecting");
    first.signal("SIGUSR2");
    await connecting;
    await whenState(bus, "connected");
    await expectDelivery(await openConnected([second.port], "r2"), bus);
  });

  it("passes over a server that is not there", async () => {
    const server = await startServer();
    const { bus } = openBus([await findClosedPort(), server.port], {}, { clock: new FakeClock() });
    await whenState(bus, "connected");
  });

  it("counts nothing as dropped where nobody is there to answer a question", async () => {
    const server = await startServer();
    const bus = await openConnected([server.port], "r1");
    bus.ask(makeBusMessage("sync"), { maxAnswers: 1, timeoutMs: 5_000 }, () => {});
    await bus.flush();
    expect(bus.readCounts()).to.include({ sent: 1, received: 0, unreadable: 0 });
  });

  it("drops and counts messages that do not say what they are", async () => {
    const server = await startServer();
    const bus = await openConnected([server.port], "r1");
    let heardCount = 0;
    bus.subscribe("flood", () => {
      heardCount += 1;
    });
    await bus.flush();
    floodFromAnotherProcess(server.url, { count: 5, bytes: 10 });
    await eventually(() => expect(bus.readCounts().unreadable).to.equal(5), 5_000);
    expect(heardCount).to.equal(0);
  });

  it("goes on when a listener throws", async () => {
    const server = await startServer();
    const { bus, lines } = openBus([server.port]);
    await whenState(bus, "connected");
    bus.subscribe("a", () => {
      throw new Error("a bug of a listener");
    });
    await bus.flush();
    const other = await openConnected([server.port], "r2");
    other.publish(makeBusMessage("a"));
    await eventually(() => expect(JSON.stringify(lines)).to.include("a bug of a listener"), 5_000);
    await expectDelivery(other, bus);
  });

  for (const [what, greeting] of [
    ["an HTTP server", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["broken JSON after the greeting", "INFO {nonsense\r\n"],
    ["a server that hangs up after the greeting", `${GREETING}`],
    ["a server that is full", `${GREETING}-ERR 'Maximum Connections Exceeded'\r\n`],
  ] as const) {
    it(`goes on trying when what answers is ${what}`, async () => {
      const port = await greetWith(greeting);
      const { bus, lines } = openBus([port], {}, { clock: hastyClock });
      await eventually(() => expect(bus.readCounts().failures).to.be.at.least(3), 5_000);
      expect([bus.state, lines.length]).to.deep.equal(["connecting", 1]);
    });
  }

  async function greetWith(greeting: string): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).end(greeting);
    });
    leftovers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return listen(server);
  }
});

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

/** Blocks this process, so that it reads nothing meanwhile. */
function floodFromAnotherProcess(url: string, { count, bytes }: { count: number; bytes: number }): void {
  const script = `
    import { connect } from "nats";
    const connection = await connect({ servers: "${url}" });
    const payload = new Uint8Array(${bytes});
    for (let count = 0; count < ${count}; count++) {
      connection.publish("flood", payload);
      if (count % 16 === 0) await connection.flush();
    }
    await connection.drain();`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 15_000,
  });
  expect(status, stderr).to.equal(0);
}

async function findClosedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
