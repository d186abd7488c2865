import {
  type DescMessage,
  fromBinary,
  fromJsonString,
  type JsonValue,
  type Message,
  toBinary,
  toJsonString,
  type UnknownField,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect } from "chai";
import { connect, headers, type Msg, type NatsConnection } from "nats";
import { HealthMessageSchema, SnapshotRequestSchema, SnapshotSchema } from "../../gen/sluice/v1/events_pb.ts";
import { Role } from "../../gen/sluice/v1/generation_pb.ts";
import { BreakerState, MetricsScope } from "../../gen/sluice/v1/metrics_pb.ts";
import { openGrpcJsCaller, readAll, type Spec } from "../rpc/clients/rpc-caller.ts";
import { CANARIES } from "../support/canaries.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream } from "../support/fake-upstream.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { readMetrics } from "../support/read-metrics.ts";
import { type SluiceProcess, startSluiceProcess } from "../support/sluice-process.ts";

const SCHEMAS: readonly DescMessage[] = [HealthMessageSchema, SnapshotRequestSchema, SnapshotSchema];
/** Fields that no version has yet: a number and a text. */
const FUTURE_FIELDS: UnknownField[] = [
  { no: 1_001, wireType: WireType.Varint, data: Uint8Array.of(7) },
  { no: 1_002, wireType: WireType.LengthDelimited, data: new BinaryWriter().string("new").finish() },
];
const FUTURE_STATE = 99 as BreakerState;

/** Does something to a message and to every message in it. */
function visit(message: unknown, change: (message: Message) => void): void {
  if (Array.isArray(message)) for (const item of message) visit(item, change);
  if (typeof message !== "object" || message === null) return;
  for (const value of Object.values(message)) visit(value, change);
  if ("$typeName" in message) change(message as Message);
}

/** A newer build's message: fields that are unknown here at every level, and a state that is. */
function makeNewer(message: Message): void {
  visit(message, (part) => {
    part.$unknown = FUTURE_FIELDS;
    if (part.$typeName !== "sluice.v1.DeploymentEvidence") return;
    const { breaker } = part as Message & { breaker?: { state: BreakerState } };
    if (breaker?.state === BreakerState.CLOSED) breaker.state = FUTURE_STATE;
  });
}

/** An older build's message: without what came later. */
function makeOlder(message: Message): void {
  visit(message, (part) => {
    const later = part as Message & Record<string, unknown>;
    if (part.$typeName === "sluice.v1.DeploymentEvidence") {
      delete later.breaker;
      delete later.cooldown;
      delete later.quota;
      later.healthScore = 0;
    }
    if (part.$typeName === "sluice.v1.ReplicaHeader") {
      later.version = "";
      delete later.uptimeDuration;
    }
  });
}

/** The same in JSON, where enums are words. */
function addFutureKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(addFutureKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    item === "BREAKER_STATE_CLOSED" ? "BREAKER_STATE_FUTURE" : addFutureKeys(item),
  ]);
  return { ...Object.fromEntries(entries), addedLater: { words: ["new"] } };
}

describe("two builds of Sluice in one mesh over a real nats-server", function () {
  this.timeout(60_000);

  let nats: TestNatsServer;
  let bridge: NatsConnection;
  let broken: FakeUpstream;
  const replicas: SluiceProcess[] = [];
  const carried = new Set<string>();

  before(async function () {
    nats = await startNatsServer(await needNatsServer(this));
  });

  beforeEach(async () => {
    broken = await FakeUpstream.start((exchange) =>
      exchange.answer(500, { "content-type": "application/json" }, "{}"),
    );
    bridge = await connect({ servers: nats.url, noEcho: true });
    carried.clear();
  });

  afterEach(async () => {
    await bridge.close();
    await Promise.all(replicas.splice(0).map((replica) => replica.remove()));
    await broken.close();
  });

  after(() => nats?.remove());

  function translate(message: Msg, change: (message: Message) => void): Uint8Array {
    const type = message.headers?.get("Sluice-Message") ?? "";
    const schema = SCHEMAS.find(({ typeName }) => typeName === type);
    if (schema === undefined) return message.data;
    carried.add(schema.name);
    const isJson = message.headers?.get("Content-Type") === "application/json";
    const read = isJson ? fromJsonString(schema, message.string()) : fromBinary(schema, message.data);
    change(read);
    if (!isJson) return toBinary(schema, read);
    const json: JsonValue = JSON.parse(change === makeNewer ? message.string() : toJsonString(schema, read));
    return new TextEncoder().encode(JSON.stringify(change === makeNewer ? addFutureKeys(json) : json));
  }

  /** Carries what one says to the other, as the build would have said it that it stands for. */
  function carry(from: string, to: string, change: (message: Message) => void, back: typeof change): void {
    const copy = (message: Msg) => {
      const made = headers();
      for (const name of ["Sluice-Message", "Content-Type"]) made.set(name, message.headers?.get(name) ?? "");
      return made;
    };
    bridge.subscribe(`${from}.v1.>`, {
      async callback(_, message) {
        const subject = to + message.subject.slice(from.length);
        const payload = translate(message, change);
        if (!message.reply) return bridge.publish(subject, payload, { headers: copy(message) });
        const question = { headers: copy(message), timeout: 1_000 };
        const answer = await bridge.request(subject, payload, question).catch(() => undefined);
        if (answer === undefined) return;
        bridge.publish(message.reply, translate(answer, back), { headers: copy(answer) });
      },
    });
  }

  async function startReplica(id: string, encoding: string): Promise<SluiceProcess> {
    const kind = { kind: "openai", base_url: broken.baseUrl, api_key: CANARIES.providerKey };
    const limits = { context_window_tokens: 1_000, max_output_tokens: 100 };
    const replica = await startSluiceProcess(
      JSON.stringify({
        nats: { servers: [nats.url], replica_id: id, subject_prefix: id, encoding },
        providers: { left: kind, right: kind },
        models: ["left", "right"].map((provider) => ({
          name: `m-${provider}`,
          ...limits,
          deployments: [{ provider }],
        })),
      }),
    );
    replicas.push(replica);
    return replica;
  }

  async function fail({ port }: SluiceProcess, provider: string): Promise<void> {
    const caller = openGrpcJsCaller(port);
    const spec: Spec = {
      messages: [{ parts: [{ part: { case: "text", value: CANARIES.prompt } }], role: Role.USER }],
      target: { kind: { case: "provider", value: provider } },
    };
    for (let request = 0; request < 3; request++) await readAll(caller.stream(spec)).catch(() => {});
    caller.close();
  }

  async function expectHeard(replica: SluiceProcess, peer: string, suspect: string): Promise<void> {
    await eventually(async () => {
      const { fleet } = await readMetrics(replica.baseUrl, MetricsScope.FLEET);
      expect(fleet?.refused).to.deep.equal([]);
      expect(fleet?.replicas.map(({ replicaId, live }) => [replicaId, live])).to.deep.equal([[peer, true]]);
      expect(fleet?.replicas[0]?.lostCount).to.equal(0n);
      const suspects = fleet?.deployments.filter((one) => one.suspect).map(({ deployment }) => deployment);
      expect(suspects).to.deep.equal([`${suspect}/m-${suspect}`]);
    }, 10_000);
  }

  for (const encoding of ["protobuf", "json"]) {
    it(`learn from each other, and refuse nothing: ${encoding}`, async () => {
      carry("newer", "older", makeNewer, makeOlder);
      carry("older", "newer", makeOlder, makeNewer);
      await bridge.flush();
      const older = await startReplica("older", encoding);
      const newer = await startReplica("newer", encoding);
      await fail(newer, "left");
      await fail(older, "right");
      await expectHeard(older, "newer", "left");
      await expectHeard(newer, "older", "right");
      expect(carried).to.include.all.keys("HealthMessage", "SnapshotRequest", "Snapshot");
    });
  }
});
