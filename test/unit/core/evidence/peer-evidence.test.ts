import { expect } from "chai";
import { COUNTERS } from "../../../../src/core/evidence/bucket-series.ts";
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
});
