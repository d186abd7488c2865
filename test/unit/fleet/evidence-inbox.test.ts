import { expect } from "chai";
import type { BusMessage } from "../../../src/domain/health-bus.ts";
import {
  encodeHealthMessage,
  encodeSnapshot,
  encodeSnapshotRequest,
} from "../../../src/fleet/encode-health.ts";
import { EvidenceInbox } from "../../../src/fleet/evidence-inbox.ts";
import { healthSubject, SYNC_SUBJECT } from "../../../src/fleet/subjects.ts";
import { FleetBench } from "../../support/fleet-bench.ts";

const OWN_INCARNATION = 7;
const NOTHING = { deployments: [], credentials: [] };

function makeHeader(replicaId: string, incarnation: number) {
  return { replicaId, incarnation, sequence: 1, sentMs: 0, version: "1.0.0", uptimeMs: 0, draining: false };
}

/** Each way on which a message in a replica's name can come. */
const WAYS: Readonly<Record<string, (inbox: EvidenceInbox, replicaId: string, incarnation: number) => void>> =
  {
    evidence(inbox, replicaId, incarnation) {
      const payload = encodeHealthMessage(makeHeader(replicaId, incarnation), "delta", NOTHING);
      inbox.take({ subject: healthSubject(replicaId), type: "sluice.v1.HealthMessage", payload });
    },
    "a question"(inbox, replicaId, incarnation) {
      inbox.takeQuestion(makeSync(encodeSnapshotRequest(makeHeader(replicaId, incarnation))));
    },
    "an answer"(inbox, replicaId, incarnation) {
      inbox.expectAnswers();
      inbox.takeSnapshot(makeSync(encodeSnapshot(makeHeader(replicaId, incarnation), NOTHING)));
    },
  };

function makeSync(payload: Uint8Array): BusMessage {
  return { subject: SYNC_SUBJECT, type: "sluice.v1.Snapshot", payload };
}

describe("a replica that hears its own id", () => {
  let fleet: FleetBench;
  let inbox: EvidenceInbox;
  let sameIdCount: number;

  beforeEach(() => {
    fleet = new FleetBench({ replicaCount: 1, providers: ["p"] });
    sameIdCount = 0;
    inbox = new EvidenceInbox({
      clock: fleet.clock,
      evidence: fleet.replica(0).table,
      replicaId: "replica-0",
      incarnation: OWN_INCARNATION,
      onSameId: () => {
        sameIdCount += 1;
      },
    });
  });

  afterEach(() => fleet.close());

  for (const [way, send] of Object.entries(WAYS)) {
    it(`tells once that another process has it, and heeds nothing of that: ${way}`, () => {
      for (const incarnation of [6, 8, 9]) send(inbox, "replica-0", incarnation);
      expect([sameIdCount, inbox.receivedCount, inbox.listPeers()]).to.deep.equal([1, 0, []]);
    });

    it(`says nothing of what it sent itself and a broken connection held back: ${way}`, () => {
      send(inbox, "replica-0", OWN_INCARNATION);
      send(inbox, "replica-1", 8);
      expect(sameIdCount).to.equal(0);
      expect(inbox.listPeers().map(({ replicaId }) => replicaId)).not.to.include("replica-0");
    });
  }
});

describe("a snapshot in another replica's name", () => {
  const MAX = Number.MAX_SAFE_INTEGER;
  let fleet: FleetBench;
  let inbox: EvidenceInbox;

  beforeEach(() => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"], played: [1] });
    inbox = fleet.replica(0).exchange.inbox;
    fleet.advance(20_000);
    inbox.expectAnswers();
  });

  afterEach(() => fleet.close());

  function makeReport(state: "open" | "closed") {
    const [deployment] = fleet.replica(0).deployments;
    const breaker = { state, epoch: state === "open" ? 2 ** 32 - 1 : 1, closedMs: 0, probeDelayMs: 0 };
    const series = { fine: [], coarse: [] };
    const counted = {
      inFlightCount: state === "open" ? 5 : 0,
      healthScore: 1,
      series,
      breaker,
      registers: {},
    };
    return { deployments: [{ deploymentId: deployment?.id ?? "", ...counted }], credentials: [] };
  }

  function answer(changes: Partial<ReturnType<typeof makeHeader>>): void {
    const header = { ...makeHeader("replica-1", 1), sequence: 4, sentMs: 20_000, ...changes };
    inbox.takeSnapshot(makeSync(encodeSnapshot(header, makeReport("open"))));
  }

  /** The replica itself, at its 5th message. */
  function speak(report = makeReport("closed")): void {
    const header = { ...makeHeader("replica-1", 1), sequence: 5, sentMs: Math.floor(fleet.clock.nowMs()) };
    const payload = encodeHealthMessage(header, "delta", report);
    inbox.take({ subject: healthSubject("replica-1"), type: "sluice.v1.HealthMessage", payload });
  }

  const read = () => {
    const { suspect, inFlightCount } = fleet.replica(0).view();
    return { suspect, inFlightCount };
  };

  it("is used until the replica is heard, and goes on where that goes on", () => {
    answer({});
    expect(read()).to.deep.equal({ suspect: true, inFlightCount: 5 });
    speak(NOTHING);
    expect(read()).to.deep.equal({ suspect: true, inFlightCount: 5 });
    speak();
    expect([...inbox.refused]).to.deep.equal([["repeated", 1]]);
  });

  for (const [what, changes] of [
    ["of a later message", { sequence: MAX }],
    ["of another clock, ahead", { sentMs: MAX }],
    ["of another clock, behind", { sentMs: 10_000 }],
    ["of an earlier process", { incarnation: 0 }],
    ["of a later process", { incarnation: MAX }],
  ] as const) {
    it(`holds nothing against what the replica says itself: ${what}`, () => {
      answer(changes);
      expect(read()).to.deep.equal({ suspect: true, inFlightCount: 5 });
      fleet.advance(100);
      speak();
      expect(read()).to.deep.equal({ suspect: false, inFlightCount: 0 });
      expect([...inbox.refused]).to.deep.equal([]);
    });
  }

  it("is the only one in that name", () => {
    answer({});
    answer({ sequence: MAX, sentMs: MAX });
    fleet.advance(100);
    speak();
    expect(read()).to.deep.equal({ suspect: false, inFlightCount: 0 });
  });
});
