/** What the breaker is told of an ended attempt. */

import type { EvidenceKind } from "../../core/evidence/outcome-door.ts";
import type { AttemptRecord } from "../../domain/attempt.ts";
import type { BreakerFacts, BreakerVerdict } from "../breaker.ts";

/** What the breaker is told for each kind of evidence. */
export const VERDICTS: Readonly<Record<EvidenceKind, BreakerVerdict>> = {
  ok: "success",
  hard: "failure",
  weak: "failure",
  limited: "limited",
  credential: "ignore",
  held: "ignore",
  none: "ignore",
};

/** What is known of it beside the verdict. `failureRatio`: of the attempts that speak against the deployment. */
export function describeFailure(
  { outcome, retryAfterMs }: AttemptRecord,
  failureRatio: number,
): BreakerFacts {
  const hung = outcome === "timeout" || outcome === "superseded";
  return retryAfterMs === undefined ? { hung, failureRatio } : { hung, failureRatio, retryAfterMs };
}
