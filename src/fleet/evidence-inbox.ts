import type { MergeResult } from "../core/evidence/fleet-evidence.ts";
import { MAX_DELAY_MS } from "../core/evidence/peer-evidence.ts";
import type { RefusalReason } from "../domain/fleet-metrics.ts";
import type { BusMessage } from "../domain/health-bus.ts";
import type { Clock } from "../domain/ports.ts";
import { decodeHealthMessage, decodeSnapshot, decodeSnapshotRequest } from "./decode-health.ts";
import type { HealthMessage, ReplicaHeader } from "./health-message.ts";
import { PeerList, type PeerSight } from "./peer-list.ts";
import type { SharedEvidence } from "./shared-evidence.ts";
import { readHealthSubject } from "./subjects.ts";

/** What each result of a merge counts as; `undefined` is heeded. */
const REFUSALS: Readonly<Record<MergeResult, RefusalReason | undefined>> = {
  merged: undefined,
  invalid: "invalid",
  late: "late",
  too_many_replicas: "too_many_replicas",
  old_incarnation: "late",
};

/** All answers to one question, as they come; what is more than that comes again with the digests. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** A question holds nothing but who asks; as JSON too it is far shorter. */
const MAX_QUESTION_BYTES = 4 * 1024;

/** Replicas that are known from answers only. */
const MAX_UNPROVEN_COUNT = 256;

/** What a snapshot says of the process that it is of. */
interface Claim {
  readonly incarnation: number;
  readonly sequence: number;
  /** From its clock to ours. */
  readonly offsetMs: number;
}

/**
 * Whether a replica's own message goes on where the snapshot in its name ended. One of a later message, or of
 * another clock, would keep what the replica says from ever being newer, or make it seem late.
 */
function isBorneOut(claim: Claim, header: ReplicaHeader, nowMs: number): boolean {
  const driftMs = Math.abs(nowMs - header.sentMs - claim.offsetMs);
  return (
    header.incarnation === claim.incarnation && header.sequence > claim.sequence && driftMs <= MAX_DELAY_MS
  );
}

/** What reading a message may cost: `payload` alone may have to be parsed for. */
function bytesOf(message: BusMessage): number {
  return message.wireBytes ?? message.payload.length;
}

/** What an inbox needs. */
export interface InboxParts {
  readonly clock: Clock;
  readonly evidence: SharedEvidence;
  /** 1 to 128 characters; no other replica has it. */
  readonly replicaId: string;
  /** Larger at each start of the replica. */
  readonly incarnation: number;
  /** Another replica has the same id; called once. */
  onSameId?(): void;
  /** In place of `decodeHealthMessage`: for who has many inboxes in one process and reads each message once. */
  readonly decode?: typeof decodeHealthMessage;
}

/** Takes in what the other replicas tell: reads it strictly, joins what may be heeded, counts the rest. */
export class EvidenceInbox {
  readonly #parts: InboxParts;
  readonly #peers = new PeerList();
  readonly #refused = new Map<RefusalReason, number>();
  /** Replicas known from a snapshot only, with what it says of them: nobody vouches for who wrote it. */
  readonly #unproven = new Map<string, Claim>();
  #answerBytesLeft = 0;
  #receivedCount = 0;
  #hasSameId = false;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** Messages that were heeded, snapshots among them. */
  get receivedCount(): number {
    return this.#receivedCount;
  }

  /** How many messages were not, by why. */
  get refused(): ReadonlyMap<RefusalReason, number> {
    return this.#refused;
  }

  /** The other replicas, by id. */
  listPeers(): readonly PeerSight[] {
    return this.#peers.list(this.#parts.clock.nowMs());
  }

  /** Takes a message of evidence. The bus vouches for its subject, so the subject says who speaks. */
  take(message: BusMessage): void {
    const { clock, evidence, decode = decodeHealthMessage } = this.#parts;
    const nowMs = clock.nowMs();
    const sender = readHealthSubject(message.subject);
    if (sender === undefined) return this.#refuse("invalid");
    const unread = this.#peers.admit(sender, bytesOf(message), nowMs);
    if (unread !== undefined) return this.#refuse(unread);
    // Only now: a payload may have to be parsed, and a flood is not.
    const decoded = decode(message.payload, sender);
    if ("refused" in decoded) return this.#refuse(decoded.refused);
    const { header } = decoded.message;
    if (this.#isOwn(header)) return this.#refuse("wrong_sender");
    const refused = this.#peers.accept(header, nowMs);
    if (refused === "set_back") evidence.forgetReplica(sender);
    else if (refused !== undefined) return this.#refuse(refused);
    const claim = this.#unproven.get(sender);
    if (claim !== undefined) {
      this.#unproven.delete(sender);
      if (!isBorneOut(claim, header, nowMs)) evidence.forgetReplica(sender);
    }
    this.#join(decoded.message);
    evidence.hearReplica(sender, header.draining);
  }

  /** A question of ours goes out; its answers may have so many bytes together. */
  expectAnswers(): void {
    this.#answerBytesLeft = MAX_ANSWER_BYTES;
  }

  /** Takes an answer to our question. What is heard from a replica itself counts more. */
  takeSnapshot(answer: BusMessage): void {
    this.#answerBytesLeft -= bytesOf(answer);
    if (this.#answerBytesLeft < 0) return this.#refuse("too_many");
    const decoded = decodeSnapshot(answer.payload);
    if ("refused" in decoded) return this.#refuse(decoded.refused);
    const { replicaId, incarnation, sequence, sentMs } = decoded.message.header;
    if (this.#isOwn(decoded.message.header)) return this.#refuse("wrong_sender");
    const nowMs = this.#parts.clock.nowMs();
    // Of two in one name the first is taken: the replica itself shows soon whether it was the right one.
    const isKnown =
      this.#unproven.has(replicaId) || this.#peers.list(nowMs).some((peer) => peer.replicaId === replicaId);
    if (isKnown) return;
    if (this.#unproven.size >= MAX_UNPROVEN_COUNT) return this.#refuse("too_many_replicas");
    this.#unproven.set(replicaId, { incarnation, sequence, offsetMs: nowMs - sentMs });
    this.#join(decoded.message);
  }

  /** Whether a question can be read and is another replica's. */
  takeQuestion(question: BusMessage): boolean {
    if (bytesOf(question) > MAX_QUESTION_BYTES) {
      this.#refuse("too_large");
      return false;
    }
    const decoded = decodeSnapshotRequest(question.payload);
    if ("refused" in decoded) {
      this.#refuse(decoded.refused);
      return false;
    }
    return !this.#isOwn(decoded.message.header);
  }

  #join({ header, report }: HealthMessage): void {
    const { evidence } = this.#parts;
    const { replicaId, incarnation, sequence, sentMs } = header;
    this.#receivedCount += 1;
    for (const { deploymentId, inFlightCount, series, breaker, registers } of report.deployments) {
      const speaker = { replicaId, incarnation, sequence, sentMs };
      const result = evidence.merge({ ...speaker, deploymentId, inFlightCount, series, breaker });
      const refused = result === undefined ? "unknown_deployment" : REFUSALS[result];
      if (refused === undefined) evidence.mergeRegisters(deploymentId, registers);
      else this.#refuse(refused);
    }
    for (const credential of report.credentials) evidence.mergeCredential(credential);
  }

  /** What a broken connection held back comes to our own next one: then it is no other process that has our id. */
  #isOwn({ replicaId, incarnation }: ReplicaHeader): boolean {
    if (replicaId !== this.#parts.replicaId) return false;
    if (incarnation === this.#parts.incarnation || this.#hasSameId) return true;
    this.#hasSameId = true;
    this.#parts.onSameId?.();
    return true;
  }

  #refuse(reason: RefusalReason): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }
}
