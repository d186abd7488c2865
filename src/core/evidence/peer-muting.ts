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
 * others' for three providers or more. The others' rate is their median, so that a few of
 * them cannot make the rest look bad, however many attempts they claim. Who is muted is
 * not listened to about health; what it says to have spent still counts.
 */
export function findMutedReplicas(sights: readonly ProviderSight[]): ReadonlySet<string> {
  const standOutCounts = new Map<string, number>();
  for (const ofProvider of Map.groupBy(sights, ({ provider }) => provider).values()) {
    for (const replicaId of listStandOuts(ofProvider)) {
      standOutCounts.set(replicaId, (standOutCounts.get(replicaId) ?? 0) + 1);
    }
  }
  return new Set(
    [...standOutCounts]
      .filter(([, count]) => count >= MIN_MUTING_PROVIDER_COUNT)
      .map(([replicaId]) => replicaId),
  );
}

/** The replicas that stand out for one provider. */
function listStandOuts(sights: readonly ProviderSight[]): readonly string[] {
  const judged = sights
    .filter(({ endedCount }) => endedCount >= MIN_ENDED_COUNT)
    // Two imaginary attempts, one failed, keep a rate off 0 and 1.
    .map((sight) => ({ ...sight, ratio: (sight.failedCount + 1) / (sight.endedCount + 2) }))
    .toSorted((a, b) => a.ratio - b.ratio);
  // Of an even number of others the higher one of the middle two.
  const middle = Math.floor((judged.length - 1) / 2);
  return judged.flatMap(({ replicaId, endedCount, failedCount }, place) => {
    const othersRatio = judged[place <= middle ? middle + 1 : middle]?.ratio;
    if (othersRatio === undefined) return [];
    const deviation = Math.sqrt((othersRatio * (1 - othersRatio)) / endedCount);
    return failedCount / endedCount - othersRatio > MAX_DEVIATION_COUNT * deviation ? [replicaId] : [];
  });
}
