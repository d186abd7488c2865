import { expect } from "chai";
import type { RouteError } from "../../../src/domain/errors.ts";
import { BodyMeter } from "../../../src/server/edge/body-meter.ts";
import { RequestMemory } from "../../../src/server/edge/request-memory.ts";

const PACE = { minBodyBytesPerSecond: 100, bodyWindowMs: 2_000 };

describe("BodyMeter", () => {
  let memory: RequestMemory;
  let meter: BodyMeter;
  let errors: RouteError[];

  beforeEach(() => {
    memory = new RequestMemory(20_000);
    meter = new BodyMeter(memory, PACE);
    errors = [];
    meter.expect(0, (error) => errors.push(error));
  });

  it("calls a body slow that brings less than the least in a window", () => {
    meter.receive(199);
    meter.checkPace(1_999);
    expect(errors).to.deep.equal([]);
    meter.checkPace(2_000);
    expect(errors.map(({ reason }) => reason)).to.deep.equal(["DEADLINE_EXCEEDED"]);
    meter.checkPace(9_000);
    expect(errors).to.have.length(1);
  });

  it("measures each window by itself", () => {
    meter.receive(10_000);
    meter.checkPace(2_000);
    meter.receive(199);
    meter.checkPace(3_999);
    expect(errors).to.deep.equal([]);
    meter.checkPace(4_000);
    expect(errors).to.have.length(1);
  });

  it("asks nothing of a body that is complete, or whose caller may take its time", () => {
    meter.finish();
    meter.checkPace(60_000);
    const patient = new BodyMeter(memory, undefined);
    patient.expect(0, (error) => errors.push(error));
    patient.checkPace(60_000);
    expect(errors).to.deep.equal([]);
  });

  it("takes what it holds from the memory of all, and gives it back", () => {
    expect(meter.open()).to.equal(undefined);
    const used = memory.usedBytes;
    expect(used).to.be.greaterThan(0);
    expect(meter.receive(1_000)).to.equal(undefined);
    expect(meter.hold(500)).to.equal(undefined);
    expect(memory.usedBytes).to.equal(used + 1_500);
    const other = new BodyMeter(memory, PACE);
    expect(other.hold(20_000))
      .to.include({ reason: "REQUEST_TOO_LARGE" })
      .and.to.have.property("retryAfterMs");
    other.close();
    expect(memory.usedBytes).to.equal(used + 1_500);
    meter.close();
    meter.close();
    expect(memory.usedBytes).to.equal(0);
  });

  it("leaves room for the bodies of calls that were taken", () => {
    const calls = Array.from({ length: 5 }, () => new BodyMeter(memory, PACE));
    const taken = calls.filter((call) => call.open() === undefined);
    expect(taken).to.have.length(1);
    expect(taken[0]?.receive(10_000)).to.equal(undefined);
    for (const call of calls) call.close();
    expect(memory.usedBytes).to.equal(0);
  });

  it("gives back what the messages before held, but nothing of the call itself", () => {
    meter.open();
    const used = memory.usedBytes;
    meter.receive(1_000);
    meter.keep(1_200);
    expect(memory.usedBytes).to.equal(used + 1_000);
    meter.keep(300);
    expect(memory.usedBytes).to.equal(used + 300);
    meter.keep(0);
    expect(memory.usedBytes).to.equal(used);
    meter.close();
    expect(memory.usedBytes).to.equal(0);
  });
});
