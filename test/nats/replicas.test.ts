import { expect } from "chai";
import { Role } from "../../gen/sluice/v1/generation_pb.ts";
import { BusDropReason, MetricsScope, SharingState } from "../../gen/sluice/v1/metrics_pb.ts";
import { openGrpcJsCaller, readAll, type Spec } from "../rpc/clients/rpc-caller.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream } from "../support/fake-upstream.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { readMetrics } from "../support/read-metrics.ts";
import { type SluiceProcess, startSluiceProcess } from "../support/sluice-process.ts";

const SPEC: Spec = { messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: "hello" } }] }] };
const BROKEN_SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: "hello" } }] }],
  target: { kind: { case: "provider", value: "broken" } },
};

describe("replicas as processes, sharing over a real nats-server", function () {
  this.timeout(60_000);

  let program: string;
  let nats: TestNatsServer;
  let broken: FakeUpstream;
  let sound: FakeUpstream;
  const replicas: SluiceProcess[] = [];

  before(async function () {
    program = await needNatsServer(this);
    this.timeout(60_000);
  });

  beforeEach(async () => {
    nats = await startNatsServer(program);
    broken = await FakeUpstream.start((exchange) =>
      exchange.answer(500, { "content-type": "application/json" }, "{}"),
    );
    sound = await FakeUpstream.start((exchange) => {
      exchange.begin();
      exchange.sendText("hello");
      exchange.finish();
    });
  });

  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.remove()));
    await broken.close();
    await sound.close();
    await nats.remove();
  });

  async function startReplica(settings: string, env: Record<string, string> = {}): Promise<SluiceProcess> {
    const replica = await startSluiceProcess(
      `providers:
  broken: { kind: openai, base_url: "${broken.baseUrl}" }
  sound: { kind: openai, base_url: "${sound.baseUrl}" }
models:
  - name: m
    context_window_tokens: 1000
    max_output_tokens: 100
    deployments: [{ provider: broken }, { provider: sound }]
${settings}`,
      env,
    );
    replicas.push(replica);
    return replica;
  }

  const shared = (id: string, encoding = "protobuf") =>
    `nats: { servers: ["${nats.url}"], replica_id: ${id}, encoding: ${encoding} }`;

  async function ask({ port }: SluiceProcess, count: number): Promise<void> {
    const caller = openGrpcJsCaller(port);
    for (let request = 0; request < count; request++) await readAll(caller.stream(SPEC));
    await caller.close();
  }

  /** Without the lists of models that replicas ask for when they start. */
  const countAttempts = () => broken.exchanges.filter(({ method }) => method === "POST").length;

  /** Asks for the provider that fails until it has failed `count` times in all. */
  async function askBroken({ port }: SluiceProcess, count: number): Promise<void> {
    const caller = openGrpcJsCaller(port);
    while (countAttempts() < count) await readAll(caller.stream(BROKEN_SPEC)).catch(() => {});
    await caller.close();
  }

  async function expectPeers(replica: SluiceProcess, count: number): Promise<void> {
    await eventually(async () => {
      const { fleet } = await readMetrics(replica.baseUrl, MetricsScope.FLEET);
      expect(fleet?.replicas.filter(({ live }) => live).length).to.equal(count);
    }, 10_000);
  }

  async function expectSuspect(replica: SluiceProcess): Promise<void> {
    await eventually(async () => {
      const { fleet } = await readMetrics(replica.baseUrl, MetricsScope.FLEET);
      const known = fleet?.deployments.find(({ deployment }) => deployment.startsWith("broken"));
      expect(known?.suspect).to.equal(true);
    }, 10_000);
  }

  it("know everywhere what failed for the third time anywhere, in whatever encoding, and tell it to who joins", async () => {
    const first = await startReplica(shared("one"));
    const second = await startReplica(shared("two", "json"));
    const third = await startReplica("", { NATS_URL: nats.url });
    for (const replica of [first, second, third]) await expectPeers(replica, 2);
    await askBroken(first, 3);
    for (const replica of [second, third]) await expectSuspect(replica);
    const late = await startReplica(shared("late"));
    await expectSuspect(late);
    const before = countAttempts();
    for (const replica of [second, third, late]) await ask(replica, 10);
    // One attempt each may look for itself who is right.
    expect(countAttempts() - before).to.be.at.most(3);
  });

  it("serve, and end on SIGTERM with code 0, while NATS is absent, frozen, and back", async () => {
    const first = await startReplica(shared("one"));
    const second = await startReplica(shared("two"));
    await expectPeers(first, 1);
    await nats.stop();
    await ask(first, 5);
    await nats.start();
    await expectPeers(first, 1);
    await eventually(async () => {
      const { fleet } = await readMetrics(first.baseUrl, MetricsScope.FLEET);
      expect(fleet?.bus?.connectionCount).to.equal(2n);
      expect(Number(fleet?.bus?.failureCount)).to.be.above(0);
      const unconnected = fleet?.bus?.drops.find(({ reason }) => reason === BusDropReason.UNCONNECTED);
      expect(Number(unconnected?.count)).to.be.above(0);
    }, 10_000);
    nats.freeze();
    await ask(first, 5);
    await eventually(async () => {
      const { fleet } = await readMetrics(first.baseUrl, MetricsScope.FLEET);
      expect(fleet?.sharingState).to.equal(SharingState.CUT_OFF);
    }, 10_000);
    await ask(first, 5);
    second.signal("SIGTERM");
    const { code, signal } = await second.ended;
    expect([code, signal]).to.deep.equal([0, null]);
  });
});
