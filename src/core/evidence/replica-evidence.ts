import type { SeriesValue } from "./bucket-series.ts";
import { findSeriesProblem } from "./check-series.ts";
import { findBreakerProblem, type PeerBreaker } from "./peer-breaker.ts";

/** What a replica tells others about one deployment: evidence, never a verdict. */
export interface ReplicaEvidence {
  readonly replicaId: string;
  /** Grows with each start of that replica's process. */
  readonly incarnation: number;
  /** Grows with each message of that incarnation. */
  readonly sequence: number;
  readonly deploymentId: string;
  /** The sender's Clock at sending. It has no meaning here but for its differences. */
  readonly sentMs: number;
  /** Attempts in flight at that replica. */
  readonly inFlightCount: number;
  readonly series: SeriesValue;
  /** Its circuit breaker; undefined when it does not say. */
  readonly breaker?: PeerBreaker | undefined;
}

const MAX_REPLICA_ID_LENGTH = 128;
const MAX_IN_FLIGHT_COUNT = 1_000_000;

/** What is wrong with a peer's evidence, naming the field, or undefined when it may be merged. */
export function findEvidenceProblem(evidence: ReplicaEvidence): string | undefined {
  const { replicaId, incarnation, sequence, inFlightCount, sentMs, breaker } = evidence;
  if (replicaId.length === 0 || replicaId.length > MAX_REPLICA_ID_LENGTH) {
    return `replicaId: must be 1 to ${MAX_REPLICA_ID_LENGTH} characters`;
  }
  if (!isCount(incarnation)) return "incarnation: must be a whole number, 0 or more";
  if (!isCount(sequence)) return "sequence: must be a whole number, 0 or more";
  if (!isCount(inFlightCount) || inFlightCount > MAX_IN_FLIGHT_COUNT) {
    return `inFlightCount: must be a whole number from 0 to ${MAX_IN_FLIGHT_COUNT}`;
  }
  const problem = findSeriesProblem(evidence.series, sentMs);
  if (problem !== undefined) return `series.${problem}`;
  const breakerProblem = breaker && findBreakerProblem(breaker, sentMs);
  return breakerProblem === undefined ? undefined : `breaker.${breakerProblem}`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
