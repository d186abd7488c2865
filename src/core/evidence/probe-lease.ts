/** Which replica may probe a deployment whose breaker is half-open. Pure; no messages are needed. */

/** For how long one replica is asked first. */
export const LEASE_EPOCH_MS = 3_000;
/** After this many epochs without a probe anybody may: the owner may be dead or have no traffic. */
const TAKEOVER_EPOCH_COUNT = 2;

/**
 * The replica that probes a deployment in the epoch of `wallMs`, chosen by rendezvous
 * hashing: everybody who knows the same live replicas names the same one, and it
 * changes with each epoch. Undefined when there is none.
 */
export function findLeaseOwner(
  deploymentId: string,
  liveReplicaIds: readonly string[],
  wallMs: number,
): string | undefined {
  const epoch = Number.isFinite(wallMs) ? Math.floor(wallMs / LEASE_EPOCH_MS) : 0;
  let owner: string | undefined;
  let best = -1;
  for (const replicaId of liveReplicaIds) {
    const score = hash(`${epoch}\n${deploymentId}\n${replicaId}`);
    if (score > best || (score === best && owner !== undefined && replicaId > owner)) {
      owner = replicaId;
      best = score;
    }
  }
  return owner;
}

/**
 * Whether a replica may probe now: it is the owner, or `waitedMs`, the time that the
 * deployment has waited for a probe, is two epochs or more. A replica that knows
 * nobody, not even itself, is alone and may.
 */
export function mayProbe(
  replicaId: string,
  deploymentId: string,
  liveReplicaIds: readonly string[],
  wallMs: number,
  waitedMs: number,
): boolean {
  if (waitedMs >= TAKEOVER_EPOCH_COUNT * LEASE_EPOCH_MS) return true;
  const owner = findLeaseOwner(deploymentId, liveReplicaIds, wallMs);
  return owner === undefined || owner === replicaId;
}

/** FNV-1a with a final avalanche (Murmur3's), 32 bits: equal on every replica. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let position = 0; position < text.length; position++) {
    value = Math.imul(value ^ text.charCodeAt(position), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
