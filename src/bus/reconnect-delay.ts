import type { Random } from "../domain/ports.ts";

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/**
 * How long to wait before the next round of connection attempts, in milliseconds. Doubles with each
 * round that failed, from 250 ms to 5 s; chance takes off up to half, so that replicas that lost the
 * same server do not come back in step. After a connection that held (0 failed rounds): up to 125 ms.
 */
export function chooseReconnectDelayMs(failedRoundCount: number, random: Random): number {
  const longestMs = Math.min(FIRST_MS * 2 ** Math.max(failedRoundCount - 1, 0), LONGEST_MS);
  if (failedRoundCount === 0) return (random.next() * longestMs) / 2;
  return longestMs * (1 - random.next() / 2);
}
