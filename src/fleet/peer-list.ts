import { PEER_GONE_MS } from "../core/evidence/peer-evidence.ts";
import type { RefusalReason } from "../domain/fleet-metrics.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import type { ReplicaHeader } from "./health-message.ts";
import { SequenceWindow } from "./sequence-window.ts";

/** More replicas than this are not listened to. */
const MAX_PEER_COUNT = 256;
/** Replicas heard of less recently than this are forgotten. */
const FORGET_MS = 600_000;
/** Messages per second that a replica may send, and how many at once: a digest of a large catalog is long. */
const MESSAGES_PER_S = 60;
const MESSAGE_BURST_COUNT = 240;
/** The same for bytes, as they came: a digest of the largest catalog, as JSON, takes some 4 MiB every 10 s. */
const BYTES_PER_S = 512 * 1024;
const BURST_BYTES = 4 * 1024 * 1024;
/** A process that speaks with an older incarnation than one that is silent for so long has had its clock set back. */
const SET_BACK_MS = PEER_GONE_MS;

/** Another replica as this one hears it. */
export interface PeerSight {
  readonly replicaId: string;
  readonly version: string;
  readonly ageMs: number;
  readonly uptimeMs: number;
  readonly draining: boolean;
  readonly lostCount: number;
}

interface Peer {
  heardMs: number;
  header: ReplicaHeader | undefined;
  window: SequenceWindow;
  lostBefore: number;
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
}

/** Who else there is, and who of them may still be listened to. Memory is bounded. */
export class PeerList {
  readonly #peers = new Map<string, Peer>();

  /** Whether one more message of a sender is read at all; called before it is, so that a flood costs little. */
  admit(replicaId: string, bytes: number, nowMs: number): RefusalReason | undefined {
    const peer = this.#peers.get(replicaId) ?? this.#add(replicaId, nowMs);
    if (peer === undefined) return "too_many_replicas";
    return peer.messages.take(nowMs) && peer.bytes.take(nowMs, bytes) ? undefined : "too_many";
  }

  /**
   * Takes a message's header in; why it must not be heeded, or undefined. `set_back`: it is
   * heeded, and what was told before is of a process that is gone though its incarnation was higher.
   */
  accept(header: ReplicaHeader, nowMs: number): RefusalReason | "set_back" | undefined {
    const peer = this.#peers.get(header.replicaId);
    if (peer === undefined) return "too_many_replicas";
    const known = peer.header?.incarnation ?? -1;
    const isSetBack = header.incarnation < known && nowMs - peer.heardMs > SET_BACK_MS;
    if (header.incarnation < known && !isSetBack) return "late";
    if (header.incarnation !== known) {
      peer.lostBefore = countLost(peer);
      peer.window = new SequenceWindow();
      peer.header = undefined;
    }
    if (!peer.window.accept(header.sequence)) return "repeated";
    peer.heardMs = nowMs;
    if (header.sequence >= (peer.header?.sequence ?? -1)) peer.header = header;
    return isSetBack ? "set_back" : undefined;
  }

  /** Those heard of in the last 10 minutes, by id. */
  list(nowMs: number): readonly PeerSight[] {
    this.#forget(nowMs, FORGET_MS);
    return [...this.#peers]
      .flatMap(([replicaId, peer]) =>
        peer.header === undefined
          ? []
          : [
              {
                replicaId,
                version: peer.header.version,
                ageMs: Math.max(nowMs - peer.heardMs, 0),
                uptimeMs: peer.header.uptimeMs,
                draining: peer.header.draining,
                lostCount: countLost(peer),
              },
            ],
      )
      .toSorted((a, b) => (a.replicaId < b.replicaId ? -1 : 1));
  }

  #add(replicaId: string, nowMs: number): Peer | undefined {
    // Where replicas come and go under new names, those that are gone make room.
    if (this.#peers.size >= MAX_PEER_COUNT) this.#forget(nowMs, PEER_GONE_MS);
    if (this.#peers.size >= MAX_PEER_COUNT) return undefined;
    const peer: Peer = {
      heardMs: nowMs,
      header: undefined,
      window: new SequenceWindow(),
      lostBefore: 0,
      messages: new TokenBucket(MESSAGE_BURST_COUNT, MESSAGES_PER_S, nowMs),
      bytes: new TokenBucket(BURST_BYTES, BYTES_PER_S, nowMs),
    };
    this.#peers.set(replicaId, peer);
    return peer;
  }

  #forget(nowMs: number, silentMs: number): void {
    for (const [replicaId, { heardMs }] of this.#peers) {
      if (nowMs - heardMs > silentMs) this.#peers.delete(replicaId);
    }
  }
}

/** Of all its processes; no more than a number can tell, however often a replica claims to have begun anew. */
function countLost({ lostBefore, window }: Peer): number {
  return Math.min(lostBefore + window.lostCount, Number.MAX_SAFE_INTEGER);
}
