import { setTimeout as pass } from "node:timers/promises";
import { SharingState } from "../../gen/sluice/v1/metrics_pb.ts";
import type { ModelServer } from "./model-server.ts";
import type { Replica } from "./replica.ts";

/** How often a replica is asked what it knows: no figure is finer than this. */
const LOOK_MS = 4;
const GIVE_UP_MS = 20_000;

/** Looks again and again; the time at which `check` was true first, by `performance.now()`, or infinity. */
export async function waitFor(check: () => Promise<boolean>): Promise<number> {
  const endMs = performance.now() + GIVE_UP_MS;
  while (performance.now() < endMs) {
    if (await check()) return performance.now();
    await pass(LOOK_MS);
  }
  return Number.POSITIVE_INFINITY;
}

/** Whether a replica leaves the failing deployment of a model alone because of what others say. */
export async function isSuspect(replica: Replica, number: number): Promise<boolean> {
  const fleet = await replica.readFleet(number);
  return (
    fleet?.deployments.some(
      ({ deployment, suspect }) => deployment === `flaky-${number}/m${number}` && suspect,
    ) ?? false
  );
}

/** Whether a replica is connected and hears `count` others. */
export async function hears(replica: Replica, count: number): Promise<boolean> {
  const fleet = await replica.readFleet(0);
  const liveCount = fleet?.replicas.filter(({ live }) => live).length ?? 0;
  return fleet?.sharingState === SharingState.CONNECTED && liveCount >= count;
}

/**
 * Lets one replica's breaker trip; the milliseconds from the answer that tripped it until every peer
 * leaves the deployment alone. The answer is earlier than the trip, so the figure errs on the long side.
 */
export async function measureTrip(
  replicas: readonly Replica[],
  models: ModelServer,
  number: number,
): Promise<number> {
  const first = replicas[number % replicas.length];
  if (first === undefined) throw new Error("there are no replicas");
  const peers = replicas.filter((replica) => replica !== first);
  const known = Promise.all(peers.map((peer) => waitFor(() => isSuspect(peer, number))));
  // Each request brings one failure; from the third on the breaker refuses.
  for (let failure = 0; failure < 3; failure++) await first.ask(`flaky-${number}`);
  const knownAtMs = Math.max(...(await known));
  return Math.max(knownAtMs - models.lastFailureMs(number), 0);
}

/** The share of requests that were answered, while `count` are asked of all replicas, four at a time each. */
export async function measureSuccess(
  replicas: readonly Replica[],
  count: number,
  modelCount: number,
): Promise<number> {
  let answeredCount = 0;
  let askedCount = 0;
  const work = async (replica: Replica) => {
    while (askedCount < count) {
      const number = askedCount++ % modelCount;
      if (await replica.askModel(number)) answeredCount += 1;
    }
  };
  await Promise.all(replicas.flatMap((replica) => Array.from({ length: 4 }, () => work(replica))));
  return answeredCount / askedCount;
}

/** The value below which a share of the sorted values lies (nearest rank). */
export function quantile(values: readonly number[], ratio: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(ratio * sorted.length) - 1, 0)] ?? Number.NaN;
}
