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
