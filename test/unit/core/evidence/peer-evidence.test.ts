import { expect } from "chai";
import { COUNTERS } from "../../../../src/core/evidence/bucket-series.ts";
import { FleetEvidence } from "../../../../src/core/evidence/fleet-evidence.ts";
import { PeerEvidence } from "../../../../src/core/evidence/peer-evidence.ts";

/** A message that says nothing but when it was sent, by the sender's clock. */
const message = (sentMs: number) => ({
  replicaId: "r",
  incarnation: 1,
  sequence: sentMs,
  deploymentId: "d",
  sentMs,
  inFlightCount: 0,
  series: { fine: [], coarse: [] },
});

describe("what a peer tells, by a clock of its own", () => {
  const spent = new Float64Array(COUNTERS.length);

  it("is taken in for as long as it runs, though its clock is slower by 400 parts in a million", () => {
    const peer = new PeerEvidence(1);
    for (let nowMs = 0; nowMs < 24 * 3_600_000; nowMs += 1_500) {
      expect(peer.merge(message(nowMs * (1 - 400e-6)), nowMs, spent), `at ${nowMs} ms`).to.equal(true);
    }
  });

  it("is left out when it comes more than 5 s later than usual, as a frozen connection brings it", () => {
    const peer = new PeerEvidence(1);
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 1_000) peer.merge(message(nowMs), nowMs, spent);
    expect(peer.merge(message(61_000), 67_000, spent)).to.equal(false);
    expect(peer.merge(message(67_000), 67_000, spent)).to.equal(true);
  });

  it("is taken in again after its machine was suspended, its clock with it", () => {
    const peer = new PeerEvidence(1);
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 1_000) peer.merge(message(nowMs), nowMs, spent);
    expect(peer.merge(message(61_000), 75_000, spent), "14 s late, 15 s silent").to.equal(false);
    for (let nowMs = 3_660_000; nowMs < 3_700_000; nowMs += 1_000)
      expect(peer.merge(message(nowMs - 3_600_000), nowMs, spent), `at ${nowMs} ms`).to.equal(true);
  });

  it("counts as old again as soon as one message of a frozen connection's flood is on time", () => {
    const peer = new PeerEvidence(1);
    const failing = (sentMs: number) => ({
      ...message(sentMs),
      series: {
        fine: [{ index: 30, values: COUNTERS.map((counter) => (counter === "hard" ? 3 : 0)) }],
        coarse: [{ index: 6, values: COUNTERS.map((counter) => (counter === "hard" ? 3 : 0)) }],
      },
    });
    for (let nowMs = 0; nowMs <= 30_000; nowMs += 1_000) peer.merge(message(nowMs), nowMs, spent);
    // Stopped for a minute, and all that it had sent before comes at once.
    for (let sentMs = 31_000; sentMs <= 90_000; sentMs += 1_000) peer.merge(failing(sentMs), 90_000, spent);
    expect(peer.sum(90_000, 30_000, "hard")).to.equal(0);
    expect(peer.sum(90_000, 120_000, "hard")).to.equal(3);
  });

  it("counts nothing of the time before its breaker closed, each time that it does", () => {
    const peer = new PeerEvidence(1);
    const bucketOf = (seconds: number) => ({
      index: seconds / 5,
      values: COUNTERS.map((counter) => (counter === "hard" ? 1 : 0)),
    });
    const tell = (nowMs: number, closedMs: number, ...failedAtS: number[]) => {
      const series = { fine: [], coarse: failedAtS.map(bucketOf) };
      const breaker = { state: "closed", epoch: 1, closedMs, probeDelayMs: 0 } as const;
      peer.merge({ ...message(nowMs), series, breaker }, nowMs, spent);
      return peer.readMinute(nowMs).hard;
    };
    expect(tell(12_000, 0, 5, 10)).to.equal(2);
    expect(tell(13_000, 7_000), "5 s to 10 s is void").to.equal(1);
    expect(tell(17_000, 7_000, 5, 10, 15), "and stays so").to.equal(2);
    expect(tell(23_000, 16_000, 20)).to.equal(1);
    expect(tell(24_000, 7_000), "a message that comes late").to.equal(1);
  });

  it("holds nothing open and nothing in flight while it is stopped, and does again when it goes on", () => {
    const fleet = new FleetEvidence();
    const open = { state: "open", epoch: 1, closedMs: 0, probeDelayMs: 30_000 } as const;
    const tell = (nowMs: number) =>
      fleet.merge({ ...message(nowMs), inFlightCount: 4, breaker: open }, nowMs, new Float64Array(4));
    for (let nowMs = 1_000; nowMs <= 10_000; nowMs += 1_000) tell(nowMs);
    const look = (nowMs: number) => [fleet.isHeldOpen(nowMs, () => 1), fleet.inFlightCount(nowMs, 0)];
    expect(look(15_000)).to.deep.equal([true, 4]);
    expect(look(30_000)).to.deep.equal([false, 0]);
    expect(fleet.isHeldOpenByMost(30_000, () => 1)).to.equal(false);
    expect(tell(40_000)).to.equal("merged");
    expect(look(40_000)).to.deep.equal([true, 4]);
  });
});
