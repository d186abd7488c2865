import { fromBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import {
  AlertSchema,
  BreakerTransitionSchema,
  PerformanceEventSchema,
} from "../../../gen/sluice/v1/events_pb.ts";
import { BreakerState } from "../../../gen/sluice/v1/metrics_pb.ts";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import type { BusMessage, BusState, HealthBus } from "../../../src/domain/health-bus.ts";
import { EventPublisher } from "../../../src/fleet/event-publisher.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

/** Keeps what is published, and can be cut off or full. */
class KeepingBus implements HealthBus {
  state: BusState = "connected";
  hasRoom = true;
  readonly messages: BusMessage[] = [];

  publish(message: BusMessage): boolean {
    if (this.hasRoom) this.messages.push(message);
    return this.hasRoom;
  }
  subscribe = () => () => {};
  ask = () => () => {};
  answer = () => () => {};
  listener: (state: BusState) => void = () => {};
  onStateChange = (listener: (state: BusState) => void) => {
    this.listener = listener;
    return () => {};
  };
  close = async () => {};
}

const [DEPLOYMENT] = sampleModel("m", { providers: ["p"] }).deployments;

describe("the events of a replica", () => {
  let bus: KeepingBus;
  let clock: FakeClock;
  let publisher: EventPublisher;

  beforeEach(() => {
    bus = new KeepingBus();
    clock = new FakeClock();
    publisher = new EventPublisher(bus, clock, "replica 1");
  });

  function publish(changes: Partial<AttemptRecord> = {}, traceparent?: string): void {
    if (DEPLOYMENT === undefined) throw new Error("no deployment");
    const record: AttemptRecord = {
      ...{ attemptNumber: 2, deployment: DEPLOYMENT, outcome: "success", totalMs: 750, purpose: "fallback" },
      ...{ tier: "auto", ...changes },
    };
    publisher.publishAttempt(record, "request 1", traceparent);
  }

  const read = (index: number) =>
    fromBinary(PerformanceEventSchema, bus.messages[index]?.payload ?? new Uint8Array());

  it("tell of an attempt on a subject of replica, provider and deployment, with its trace", () => {
    publish({ timeToFirstTokenMs: 250, usage: { inputTokens: 5, outputTokens: 7 } }, "00-trace");
    expect(bus.messages[0]).to.include({
      subject: "sluice.v1.perf.replica_201.p.p_2fm",
      type: "sluice.v1.PerformanceEvent",
      traceparent: "00-trace",
    });
    const event = read(0);
    expect(event).to.include({
      replicaId: "replica 1",
      requestId: "request 1",
      attemptNumber: 2,
      model: "m",
    });
    expect(event.totalDuration?.nanos).to.equal(750_000_000);
    expect(event.timeToFirstTokenDuration?.nanos).to.equal(250_000_000);
    expect(event.usage?.outputTokenCount).to.equal(7n);
    expect(event.httpStatus).to.equal(undefined);
  });

  it("tell of an alert that nobody heard when somebody can be reached again: the last word on each figure, once", () => {
    const raise = (model: string, resolved: boolean) =>
      publisher.publishAlert({
        ...{ kind: "latency", model, value: 3_000, threshold: 2_000, sampleCount: 20, resolved },
      });
    bus.hasRoom = false;
    raise("m", false);
    raise("m", true);
    raise("n", false);
    bus.hasRoom = true;
    raise("o", false);
    for (const state of ["connected", "connecting", "connected"] as const) bus.listener(state);
    const told = bus.messages.map(({ payload }) => fromBinary(AlertSchema, payload));
    expect(told.map(({ model, resolved }) => [model, resolved])).to.deep.equal([
      ["o", false],
      ["m", true],
      ["n", false],
    ]);
  });

  it("are left out above 500 per second; the next one says how many", async () => {
    for (let attempt = 0; attempt < 600; attempt++) publish();
    expect(bus.messages).to.have.length(500);
    expect(publisher.droppedCount).to.equal(100);
    await clock.advance(1_000);
    publish();
    publish();
    expect([read(500).droppedCount, read(501).droppedCount]).to.deep.equal([100, 0]);
    expect(publisher.droppedCount).to.equal(100);
  });

  it("are not even made while nobody can be reached, and counted as left out", () => {
    bus.state = "connecting";
    publish();
    expect(bus.messages).to.have.length(0);
    bus.state = "connected";
    bus.hasRoom = false;
    publish();
    expect(publisher.droppedCount).to.equal(2);
    bus.hasRoom = true;
    publish();
    expect(read(0).droppedCount).to.equal(2);
  });

  it("tell each change of a breaker with the state before", () => {
    if (DEPLOYMENT === undefined) throw new Error("no deployment");
    for (const state of ["open", "half_open", "closed"] as const)
      publisher.publishTransition(DEPLOYMENT, state);
    const changes = bus.messages.map(({ payload }) => fromBinary(BreakerTransitionSchema, payload));
    expect(changes.map(({ fromState, toState }) => [fromState, toState])).to.deep.equal([
      [BreakerState.CLOSED, BreakerState.OPEN],
      [BreakerState.OPEN, BreakerState.HALF_OPEN],
      [BreakerState.HALF_OPEN, BreakerState.CLOSED],
    ]);
    expect(bus.messages[0]?.subject).to.equal("sluice.v1.breaker.replica_201.p_2fm");
  });
});
