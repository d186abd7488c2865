import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { connect, type NatsConnection } from "nats";
import type { NatsBus } from "../../src/bus/nats-bus.ts";
import { Secret } from "../../src/lib/secret.ts";
import { eventually } from "../support/eventually.ts";
import { makeBusMessage } from "../support/health-bus-contract.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { openTestBus, whenState } from "../support/open-test-bus.ts";

const CONFIG = join(import.meta.dirname, "../../examples/nats/nats-server.conf");
const DOCUMENT = join(import.meta.dirname, "../../docs/nats.md");
const PASSWORDS = {
  SLUICE_1_PASSWORD: "horse-one",
  SLUICE_2_PASSWORD: "horse-two",
  SLUICE_3_PASSWORD: "horse-three",
  SUBSCRIBER_PASSWORD: "watcher",
};

describe("examples/nats/nats-server.conf, enforced by a real nats-server", () => {
  let server: TestNatsServer;
  let first: NatsBus;
  let second: NatsBus;
  let subscriber: NatsConnection;
  const watched: string[] = [];

  before(async function () {
    const program = await needNatsServer(this);
    server = await startNatsServer(program, await readFile(CONFIG, "utf8"), PASSWORDS);
    first = await openReplica("sluice-1", PASSWORDS.SLUICE_1_PASSWORD);
    second = await openReplica("sluice-2", PASSWORDS.SLUICE_2_PASSWORD);
    subscriber = await connect({
      servers: server.url,
      user: "subscriber",
      pass: PASSWORDS.SUBSCRIBER_PASSWORD,
    });
    for (const subject of [
      "sluice.v1.health.*",
      "sluice.v1.perf.>",
      "sluice.v1.breaker.>",
      "sluice.v1.alert.*",
    ]) {
      subscriber.subscribe(subject, { callback: (_, message) => watched.push(message.subject) });
    }
    await subscriber.flush();
  });

  beforeEach(() => {
    watched.length = 0;
  });

  after(async () => {
    await subscriber?.close();
    await Promise.all([first?.close(), second?.close()]);
    await server?.remove();
  });

  async function openReplica(replicaId: string, password: string): Promise<NatsBus> {
    const { bus } = openTestBus([server.port], {
      replicaId,
      credentials: { kind: "password", user: replicaId, password: new Secret(password) },
    });
    await whenState(bus, "connected");
    return bus;
  }

  /** Everything that the first replica sent before has arrived where it was let. */
  async function settle(): Promise<void> {
    for (const party of [first, second, subscriber]) await party.flush();
  }

  it("lets a replica tell what is its own, and the subscriber hear it", async () => {
    const subjects = [
      "sluice.v1.health.sluice-1",
      "sluice.v1.perf.sluice-1.openai.openai_2fgpt",
      "sluice.v1.breaker.sluice-1.openai_2fgpt",
      "sluice.v1.alert.sluice-1",
    ];
    for (const subject of subjects) expect(first.publish(makeBusMessage(subject))).to.equal(true);
    await eventually(() => expect(watched).to.deep.equal(subjects), 5_000);
    expect(first.readCounts().forbidden).to.equal(0);
  });

  it("lets replicas hear each other's evidence", async () => {
    const heard: string[] = [];
    const stop = second.subscribe("sluice.v1.health.*", ({ subject }) => heard.push(subject));
    await second.flush();
    first.publish(makeBusMessage("sluice.v1.health.sluice-1"));
    await eventually(() => expect(heard).to.deep.equal(["sluice.v1.health.sluice-1"]), 5_000);
    stop();
  });

  it("lets replicas ask and answer", async () => {
    const stop = second.answer("sluice.v1.sync", () => makeBusMessage("sluice.v1.sync", "known"));
    await second.flush();
    const answers: string[] = [];
    first.ask(makeBusMessage("sluice.v1.sync"), { maxAnswers: 3, timeoutMs: 5_000 }, ({ payload }) =>
      answers.push(new TextDecoder().decode(payload)),
    );
    await eventually(() => expect(answers).to.deep.equal(["known"]), 5_000);
    stop();
  });

  for (const subject of [
    "sluice.v1.health.sluice-2",
    "sluice.v1.perf.sluice-2.openai.x",
    "sluice.v1.breaker.sluice-2.x",
    "sluice.v1.alert.sluice-2",
    "sluice.v1.health",
    "sluice.v2.health.sluice-1",
    "_INBOX.sluice-2.guess",
    "$SYS.REQ.SERVER.PING",
    "$JS.API.INFO",
    "other.application",
  ]) {
    it(`does not let a replica send to ${subject}`, async () => {
      const heard: string[] = [];
      const stop = second.subscribe("sluice.v1.health.*", (message) => heard.push(message.subject));
      await second.flush();
      const before = first.readCounts().forbidden;
      first.publish(makeBusMessage(subject));
      await eventually(() => expect(first.readCounts().forbidden).to.equal(before + 1), 5_000);
      await settle();
      expect([heard, watched]).to.deep.equal([[], []]);
      expect(first.state).to.equal("connected");
      stop();
    });
  }

  for (const subject of [">", "_INBOX.>", "_INBOX.sluice-2.>", "sluice.v1.perf.>", "$SYS.>"]) {
    it(`does not let a replica hear ${subject}`, async () => {
      const before = first.readCounts().forbidden;
      const stop = first.subscribe(subject, () => {});
      await eventually(() => expect(first.readCounts().forbidden).to.equal(before + 1), 5_000);
      stop();
    });
  }

  it("lets the subscriber listen as docs/nats.md shows", async () => {
    const text = await readFile(DOCUMENT, "utf8");
    const patterns = [...text.matchAll(/^nats sub '([^']+)'$/gm)].map(([, pattern = ""]) => pattern);
    expect(patterns).to.have.length.above(1);
    const errors: unknown[] = [];
    for (const pattern of patterns) {
      const callback = (error: Error | null) => {
        if (error !== null) errors.push(error.message);
      };
      const subscription = subscriber.subscribe(pattern, { callback });
      await subscriber.flush();
      subscription.unsubscribe();
    }
    expect(errors).to.deep.equal([]);
  });

  it("does not let the subscriber say anything", async () => {
    const heard: string[] = [];
    const stop = second.subscribe("sluice.v1.health.*", ({ subject }) => heard.push(subject));
    await second.flush();
    subscriber.publish("sluice.v1.health.sluice-1", "forged");
    await settle();
    expect(heard).to.deep.equal([]);
    stop();
  });
});
