import { expect } from "chai";
import type { ReplicaHeader } from "../../../src/fleet/health-message.ts";
import { PeerList } from "../../../src/fleet/peer-list.ts";

function makeHeader(changes: Partial<ReplicaHeader> = {}): ReplicaHeader {
  const about = { version: "1.0.0", uptimeMs: 0, draining: false };
  return { replicaId: "r", incarnation: 1, sequence: 1, sentMs: 0, ...about, ...changes };
}

describe("the list of peers", () => {
  let peers: PeerList;

  beforeEach(() => {
    peers = new PeerList();
    peers.admit("r", 0, 0);
  });

  const accept = (sequence: number, incarnation = 1) =>
    peers.accept(makeHeader({ sequence, incarnation }), 0);

  it("takes each message once, in any order, and none that is far behind", () => {
    expect([100, 98, 100, 98, 99, 37, 36].map((sequence) => accept(sequence))).to.deep.equal([
      ...[undefined, undefined, "repeated", "repeated", undefined],
      ...[undefined, "repeated"],
    ]);
  });

  it("counts what never came", () => {
    for (const sequence of [5, 6, 9]) accept(sequence);
    expect(peers.list(0)[0]?.lostCount).to.equal(2);
  });

  it("begins anew with a new process, and hears no more of the old one", () => {
    accept(50);
    expect(accept(1, 2)).to.equal(undefined);
    expect(accept(51, 1)).to.equal("late");
  });

  it("hears a process whose clock was set back once the one before is silent for 15 s", () => {
    accept(50, 7);
    const acceptAt = (nowMs: number, sequence: number) =>
      peers.accept(makeHeader({ sequence, incarnation: 3 }), nowMs);
    expect([acceptAt(15_000, 1), acceptAt(15_001, 2), acceptAt(15_002, 3)]).to.deep.equal([
      "late",
      "set_back",
      undefined,
    ]);
    expect(peers.list(15_002)[0]?.lostCount).to.equal(0);
  });

  it("reads at most 240 messages at once, and 60 more each second", () => {
    const readAt = (nowMs: number) =>
      Array.from({ length: 400 }, () => peers.admit("r", 0, nowMs)).filter((refused) => refused === undefined)
        .length;
    expect([readAt(0), readAt(1_000)]).to.deep.equal([239, 60]);
  });

  it("counts as lost no more than can be told, however often a replica begins anew", () => {
    for (let incarnation = 1; incarnation < 2_000; incarnation++) {
      accept(0, incarnation);
      accept(Number.MAX_SAFE_INTEGER, incarnation);
    }
    expect(peers.list(0)[0]?.lostCount).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it("forgets those silent for 10 minutes", () => {
    accept(1);
    expect([600_000, 600_001].map((nowMs) => peers.list(nowMs).length)).to.deep.equal([1, 0]);
  });

  it("hears at most 256 replicas, and those that are gone make room", () => {
    for (let index = 0; index < 255; index++) expect(peers.admit(`r${index}`, 0, 0)).to.equal(undefined);
    expect(peers.admit("one more", 0, 15_000)).to.equal("too_many_replicas");
    expect(peers.admit("one more", 0, 15_001)).to.equal(undefined);
  });
});
