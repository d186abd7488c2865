/** Which replicas are wrong about the world: their own network is broken, or they lie. Pure. */

/** What one replica has seen of one provider lately. */
export interface ProviderSight {
  readonly replicaId: string;
  readonly provider: string;
  readonly endedCount: number;
  readonly failedCount: number;
}

/** A replica must stand out for this many providers: one provider may fail in one place only. */
export const MIN_MUTING_PROVIDER_COUNT = 3;
const MAX_DEVIATION_COUNT = 5;
/** Fewer attempts than this say nothing. */
const MIN_ENDED_COUNT = 5;

/**
 * The replicas whose failure rate is more than five standard deviations above the
 * others' for three providers or more. They are not listened to about health; what
 * they say to have spent still counts.
 */
export function findMutedReplicas(sights: readonly ProviderSight[]): ReadonlySet<string> {
  const totals = new Map<string, { ended: number; failed: number }>();
  for (const { provider, endedCount, failedCount } of sights) {
    const total = totals.get(provider) ?? { ended: 0, failed: 0 };
    total.ended += endedCount;
    total.failed += failedCount;
    totals.set(provider, total);
  }
  const standOutCounts = new Map<string, number>();
  for (const sight of sights) {
    const total = totals.get(sight.provider);
    if (total === undefined || !standsOut(sight, total)) continue;
    standOutCounts.set(sight.replicaId, (standOutCounts.get(sight.replicaId) ?? 0) + 1);
  }
  return new Set(
    [...standOutCounts]
      .filter(([, count]) => count >= MIN_MUTING_PROVIDER_COUNT)
      .map(([replicaId]) => replicaId),
  );
}

function standsOut(
  sight: ProviderSight,
  total: { readonly ended: number; readonly failed: number },
): boolean {
  const othersEnded = total.ended - sight.endedCount;
  if (sight.endedCount < MIN_ENDED_COUNT || othersEnded < MIN_ENDED_COUNT) return false;
  // Two imaginary attempts, one failed, keep the others' rate off 0 and 1.
  const othersRatio = (total.failed - sight.failedCount + 1) / (othersEnded + 2);
  const deviation = Math.sqrt((othersRatio * (1 - othersRatio)) / sight.endedCount);
  return sight.failedCount / sight.endedCount - othersRatio > MAX_DEVIATION_COUNT * deviation;
}
