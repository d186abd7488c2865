import type { BusState } from "../domain/health-bus.ts";
import type { PeerSight } from "./peer-list.ts";

/** What is heard of the other replicas, as a line for people. `peers`: those heard of lately; `liveCount`: those heard of in the last 5 s. */
export function describeSharing(state: BusState, peers: readonly PeerSight[], liveCount: number): string {
  const reach = state === "connected" ? "connected" : `cut off (${state})`;
  const newestMs = Math.min(...peers.map(({ ageMs }) => ageMs));
  const age = peers.length === 0 ? "nothing heard yet" : `last heard ${(newestMs / 1_000).toFixed(1)} s ago`;
  return `sharing: ${reach}, ${liveCount} other ${liveCount === 1 ? "replica" : "replicas"} live, ${age}`;
}
