import { PEER_GONE_MS, PEER_TTL_MS } from "../../core/evidence/peer-evidence.ts";

/** Where there are more, those that are gone make room. */
const MAX_REPLICA_COUNT = 256;

/** Which replicas are alive, as far as this one hears. */
export class LiveReplicas {
  readonly #heardMs = new Map<string, number>();
  #lastLiveCount = 1;

  /** A message of another replica has come. */
  hear(replicaId: string, nowMs: number): void {
    if (this.#heardMs.size >= MAX_REPLICA_COUNT && !this.#heardMs.has(replicaId)) {
      this.#forget(nowMs);
      if (this.#heardMs.size >= MAX_REPLICA_COUNT) return;
    }
    this.#heardMs.set(replicaId, nowMs);
  }

  /** A replica has said that it stops. */
  forget(replicaId: string): void {
    this.#heardMs.delete(replicaId);
  }

  /** The other replicas heard of in the last 5 s, in no order. */
  list(nowMs: number): readonly string[] {
    const live: string[] = [];
    for (const [replicaId, heardMs] of this.#heardMs) {
      if (nowMs - heardMs <= PEER_TTL_MS) live.push(replicaId);
    }
    return live;
  }

  /** How many are alive now, this one included. */
  countLive(nowMs: number): number {
    let count = 1;
    for (const heardMs of this.#heardMs.values()) {
      if (nowMs - heardMs <= PEER_TTL_MS) count += 1;
    }
    return count;
  }

  /** Live replicas, this one included; what was last known while `connected` is false. */
  count(nowMs: number, connected: boolean): number {
    if (connected) this.#lastLiveCount = this.countLive(nowMs);
    return this.#lastLiveCount;
  }

  #forget(nowMs: number): void {
    for (const [replicaId, heardMs] of this.#heardMs) {
      if (nowMs - heardMs > PEER_GONE_MS) this.#heardMs.delete(replicaId);
    }
  }
}
