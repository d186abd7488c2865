import { fromBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import { PerformanceEventSchema } from "../../gen/sluice/v1/events_pb.ts";
import { Outcome, Role } from "../../gen/sluice/v1/generation_pb.ts";
import { openGrpcJsCaller, readAll, type Spec } from "../rpc/clients/rpc-caller.ts";
import { BusCapture } from "../support/bus-capture.ts";
import { CANARIES } from "../support/canaries.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream, type UpstreamScript } from "../support/fake-upstream.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { type SluiceProcess, startSluiceProcess } from "../support/sluice-process.ts";

const JSON_TYPE = { "content-type": "application/json" };
/** What a careless provider writes into its errors. */
const LOUD_TEXT = `${CANARIES.upstreamText}: key ${CANARIES.providerKey} sent ${CANARIES.prompt}`;
const LOUD_ERROR = JSON.stringify({
  error: { message: LOUD_TEXT, type: LOUD_TEXT, code: CANARIES.upstreamText, param: CANARIES.prompt },
});

/** A provider for each way to fail, and one that does not. */
const SCRIPTS: Readonly<Record<string, UpstreamScript>> = {
  failing: (exchange) => exchange.answer(500, JSON_TYPE, LOUD_ERROR),
  limiting: (exchange) => exchange.answer(429, { ...JSON_TYPE, "retry-after": "1" }, LOUD_ERROR),
  refusing: (exchange) => exchange.answer(401, JSON_TYPE, LOUD_ERROR),
  rejecting: (exchange) => exchange.answer(400, JSON_TYPE, LOUD_ERROR),
  resetting: (exchange) => exchange.reset(),
  hanging: (exchange) => exchange.begin(),
  babbling: (exchange) =>
    exchange.answer(200, { "content-type": "text/event-stream" }, `data: {${LOUD_TEXT}\n\n`),
  cutting(exchange) {
    exchange.begin();
    exchange.sendText(LOUD_TEXT);
    setImmediate(() => exchange.reset());
  },
  sound(exchange) {
    exchange.begin();
    exchange.sendText(LOUD_TEXT);
    exchange.finish();
  },
};
const NAMES = Object.keys(SCRIPTS);

const OUTCOMES = [
  ...[Outcome.SUCCESS, Outcome.TIMEOUT, Outcome.NETWORK, Outcome.CANCELLED],
  ...[Outcome.RATE_LIMIT, Outcome.SERVER_ERROR, Outcome.AUTH],
];
const TYPES = [
  "HealthMessage",
  "Snapshot",
  "SnapshotRequest",
  "PerformanceEvent",
  "BreakerTransition",
  "Alert",
];

function makeSpec(provider?: string): Spec {
  return {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
    ...(provider === undefined ? {} : { target: { kind: { case: "provider", value: provider } } }),
  };
}

describe("what replicas publish while everything fails", function () {
  this.timeout(60_000);

  let nats: TestNatsServer;
  let capture: BusCapture;
  const outcomes = new Set<Outcome>();
  const upstreams = new Map<string, FakeUpstream>();
  const replicas = new Map<string, SluiceProcess>();

  before(async function () {
    nats = await startNatsServer(await needNatsServer(this));
    this.timeout(60_000);
    for (const [name, script] of Object.entries(SCRIPTS))
      upstreams.set(name, await FakeUpstream.start(script));
    capture = await BusCapture.open(nats.url, (type, { headers, data }) => {
      if (type !== "PerformanceEvent" || headers?.get("Content-Type") !== "application/protobuf") return;
      outcomes.add(fromBinary(PerformanceEventSchema, data).outcome);
    });
  });

  after(async () => {
    await Promise.all([...replicas.values()].map((replica) => replica.remove()));
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    await capture?.close();
    await nats?.remove();
  });

  async function startReplica(id: string): Promise<SluiceProcess> {
    const replica = await startSluiceProcess(
      JSON.stringify({
        nats: { servers: [nats.url], replica_id: id, encoding: id === "two" ? "json" : "protobuf" },
        routing: { timeouts: { first_token: "400ms" } },
        alerts: { min_samples: 1, success_ratio: 0.99, error_ratio: 0.01 },
        providers: Object.fromEntries(
          [...upstreams].map(([name, { baseUrl }]) => [
            name,
            { kind: "openai", base_url: baseUrl, api_key: CANARIES.providerKey },
          ]),
        ),
        models: [
          {
            ...{ name: "m", context_window_tokens: 1_000, max_output_tokens: 100 },
            deployments: NAMES.map((provider) => ({ provider })),
          },
        ],
      }),
    );
    replicas.set(id, replica);
    return replica;
  }

  /** Asks for each provider and for any; the callers of one in five leave. */
  async function ask({ port }: SluiceProcess): Promise<void> {
    const caller = openGrpcJsCaller(port);
    const targets = [...NAMES, ...NAMES, undefined, undefined, "hanging", "hanging"];
    await Promise.all(
      targets.map(async (provider, index) => {
        const leaving = new AbortController();
        const timer =
          index % 5 === 4 || index > 2 * NAMES.length ? setTimeout(() => leaving.abort(), 100) : undefined;
        await readAll(caller.stream(makeSpec(provider), { signal: leaving.signal })).catch(() => {});
        clearTimeout(timer);
      }),
    );
    caller.close();
  }

  async function kill(id: string): Promise<void> {
    replicas.get(id)?.signal("SIGKILL");
    await replicas.get(id)?.ended;
    await replicas.get(id)?.remove();
    replicas.delete(id);
  }

  it("holds no prompt, no answer, no key and no word of a provider", async () => {
    const [one, two] = await Promise.all(["one", "two"].map(startReplica));
    const three = await startReplica("three");
    if (one === undefined || two === undefined) throw new Error("a replica is missing");
    await Promise.all([ask(one), ask(two), ask(three)]);
    const underFire = [ask(one), ask(two), ask(three)];
    await kill("three");
    await Promise.all(underFire);
    await nats.stop();
    await ask(one);
    await nats.start();
    await ask(await startReplica("three"));
    await ask(two);
    await eventually(() => expect(capture.counts).to.include.all.keys(TYPES), 20_000);
    expect(outcomes).to.include.all.keys(OUTCOMES);
    expect(await capture.findLoudSubjects()).to.deep.equal([]);
  });
});
