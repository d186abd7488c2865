import { fromBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import {
  AlertSchema,
  BreakerTransitionSchema,
  HealthMessageSchema,
  PerformanceEventSchema,
} from "../../../gen/sluice/v1/events_pb.ts";
import { AttemptPurpose, Outcome, Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { BreakerState, MetricsScope, SharingState } from "../../../gen/sluice/v1/metrics_pb.ts";
import { MemoryMesh } from "../../../src/bus/memory-bus.ts";
import type { BusMessage } from "../../../src/domain/health-bus.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { CANARIES, refuseCanaries } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { readMetrics } from "../../support/read-metrics.ts";
import { MODEL, startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";
import { openGrpcJsCaller, type RpcCaller, readAll, type Spec } from "../clients/rpc-caller.ts";

const PROMPT = CANARIES.prompt;
const ANSWER = "canary-answer-91bc";
const ERROR_TEXT = "canary-provider-text-55aa";
const TRACEPARENT = `00-${"4b".repeat(16)}-${"7c".repeat(8)}-01`;
const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: PROMPT } }] }],
};

describe("two Sluices that share what they know", () => {
  let upstreams: readonly FakeUpstream[] = [];
  let sluices: readonly TestSluice[] = [];
  let callers: readonly RpcCaller[] = [];
  let capture: BusMessage[] = [];
  let closeCapture = async () => {};

  beforeEach(async () => {
    capture = [];
    const broken = await FakeUpstream.start((exchange) =>
      exchange.answer(500, { "content-type": "application/json" }, `{"error":{"message":"${ERROR_TEXT}"}}`),
    );
    const sound = await FakeUpstream.start((exchange) => {
      exchange.begin();
      exchange.sendText(ANSWER);
      exchange.finish();
    });
    upstreams = [broken, sound];
    const mesh = new MemoryMesh(systemClock);
    const bus = mesh.connect();
    bus.subscribe(">", (message) => capture.push(message));
    closeCapture = () => bus.close();
    const urls = { broken: broken.baseUrl, sound: sound.baseUrl };
    sluices = await Promise.all(
      ["one", "two"].map((replicaId) =>
        startSluiceOver(urls, {
          sharing: { bus: mesh.connect(), replicaId },
          alerts: {
            windowMs: 60_000,
            minSampleCount: 2,
            minSuccessRatio: 0.9,
            maxFirstTokenMs: undefined,
            maxErrorRatio: undefined,
            maxFallbackRatio: 0.1,
          },
        }),
      ),
    );
    callers = sluices.map(({ port }) => openGrpcJsCaller(port));
  });

  afterEach(async () => {
    for (const caller of callers) await caller.close();
    for (const sluice of sluices) await sluice.stop();
    for (const upstream of upstreams) await upstream.close();
    await closeCapture();
  });

  async function ask(replica: number): Promise<void> {
    const caller = callers[replica];
    if (caller === undefined) throw new Error(`there is no replica ${replica}`);
    await readAll(caller.stream(SPEC, { headers: { traceparent: TRACEPARENT } }));
  }

  const ofType = (name: string) => capture.filter(({ type }) => type === `sluice.v1.${name}`);

  it("know after the third failure at one of them, and tell who they are", async () => {
    const [, two] = sluices;
    if (two === undefined) throw new Error("no second replica");
    for (let request = 0; request < 20; request++) await ask(0);
    const snapshot = await eventually(async () => {
      const found = await readMetrics(two.baseUrl, MetricsScope.FLEET);
      expect(found.fleet?.deployments.some(({ openReplicaCount }) => openReplicaCount === 1)).to.equal(true);
      return found;
    });
    expect(snapshot.replicaId).to.equal("two");
    expect(snapshot.fleet).to.include({ sharingState: SharingState.CONNECTED });
    expect(
      snapshot.fleet?.replicas.map(({ replicaId, live, draining }) => [replicaId, live, draining]),
    ).to.deep.equal([["one", true, false]]);
    expect(snapshot.fleet?.replicas[0]?.version).to.match(/^\d+\.\d+\.\d+/);
    expect(snapshot.fleet?.replicas[0]?.disagreementCount).to.equal(1);
    const broken = snapshot.fleet?.deployments.find(({ deployment }) => deployment.startsWith("broken"));
    expect(broken).to.include({ failedCount: 3n, suspect: true });
    const upstream = upstreams[0];
    const before = upstream?.exchanges.length ?? 0;
    for (let request = 0; request < 20; request++) await ask(1);
    // One attempt shows who is right; no more follow.
    expect((upstream?.exchanges.length ?? 0) - before).to.be.at.most(1);
    expect((await readMetrics(two.baseUrl)).fleet).to.equal(undefined);
  });

  it("tell subscribers of each attempt, of transitions and of alerts, and of nothing that was said", async () => {
    for (let request = 0; request < 12; request++) await ask(0);
    const events = ofType("PerformanceEvent").map(({ payload }) =>
      fromBinary(PerformanceEventSchema, payload),
    );
    await eventually(() => expect(events.length).to.be.at.least(15));
    const failed = events.filter(({ outcome }) => outcome === Outcome.SERVER_ERROR);
    expect(failed).to.have.length(3);
    expect(failed[0]).to.deep.include({
      provider: "broken",
      model: MODEL,
      replicaId: "one",
      httpStatus: 500,
    });
    const fallback = events.find(({ purpose }) => purpose === AttemptPurpose.FALLBACK);
    expect(fallback).to.include({ outcome: Outcome.SUCCESS, provider: "sound", droppedCount: 0 });
    expect(ofType("PerformanceEvent")[0]?.subject).to.match(
      /^sluice\.v1\.perf\.one\.(broken|sound)\.[a-z0-9_-]+$/,
    );
    // The request's trace goes on here, under a span of our own.
    expect(ofType("PerformanceEvent")[0]?.traceparent).to.match(/^00-(4b){16}-[0-9a-f]{16}-01$/);
    const transitions = ofType("BreakerTransition").map(({ payload }) =>
      fromBinary(BreakerTransitionSchema, payload),
    );
    expect(transitions).to.have.length(1);
    expect(transitions[0]).to.include({
      provider: "broken",
      fromState: BreakerState.CLOSED,
      toState: BreakerState.OPEN,
    });
    await eventually(() => expect(ofType("Alert").length).to.be.at.least(1), 7_000);
    const alert = fromBinary(AlertSchema, ofType("Alert")[0]?.payload ?? new Uint8Array());
    expect(alert).to.include({ model: MODEL, threshold: 0.9, resolved: false });
    expect(sluices[0]?.logger.find("alert").length).to.be.at.least(1);
    const everything = Buffer.concat(capture.map(({ payload }) => payload)).toString("latin1");
    for (const said of [ANSWER, ERROR_TEXT]) expect(everything).to.not.include(said);
    refuseCanaries("the bus", everything);
  }).timeout(20_000);

  it("says when it is about to stop, with all that it knows", async () => {
    await ask(0);
    await sluices[0]?.stop();
    const last = ofType("HealthMessage")
      .filter(({ subject }) => subject.endsWith(".one"))
      .map(({ payload }) => fromBinary(HealthMessageSchema, payload))
      .findLast(({ content }) => content.case === "digest");
    expect(last?.header?.draining).to.equal(true);
    expect(last?.content.value?.deployments).to.have.length(2);
  });
});
