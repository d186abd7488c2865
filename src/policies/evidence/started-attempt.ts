import type { QuotaReservation } from "../../core/evidence/quota.ts";

/** What is known of an attempt when it begins. */
export interface AttemptSize {
  readonly promptTokens: number;
  readonly expectedOutputTokens: number;
}

/** An attempt under way; `EvidenceTable.recordEnd` takes it back, once. */
export interface StartedAttempt {
  readonly promptTokens: number;
  /** What the time to the first token was estimated to be. */
  readonly expectedMs: number;
  readonly reservation: QuotaReservation;
  /** Nothing was left of the limits when it began, as far as was known. */
  readonly overdrawn: boolean;
  /** Whether it verifies what other replicas say. */
  readonly verifies: boolean;
  /** Whether its silence has counted as weak evidence; the table's to change. */
  silent: boolean;
}
