/** What Sluice itself says of an answer, as a member of its own. */

import type { CandidateJudgement, RouteDecision, RouteResult } from "../domain/attempt.ts";

/**
 * The member `sluice` as JSON with a comma before it: the decisions where the request asked
 * for them, and what was not carried as asked. Empty when there is neither.
 */
export function encodeExtension({ decisions, adjustments }: RouteResult): string {
  if (decisions.length === 0 && adjustments.length === 0) return "";
  const extension = {
    ...(decisions.length > 0 && { decisions: decisions.map(describeDecision) }),
    ...(adjustments.length > 0 && { adjustments }),
  };
  return `,"sluice":${JSON.stringify(extension)}`;
}

/** The members of `Decision` in generation.proto, with its names. */
function describeDecision({ attemptNumber, target, taskType, relaxed, candidates }: RouteDecision) {
  return {
    attempt_number: attemptNumber,
    target,
    task_type: taskType ?? null,
    relaxed,
    candidates: candidates.map(describeCandidate),
  };
}

function describeCandidate({ deployment, tier, chosen, removedBy, score }: CandidateJudgement) {
  return {
    deployment: deployment.id,
    model: deployment.model,
    provider: deployment.provider,
    tier,
    chosen,
    removed_by: removedBy ?? null,
    score:
      score === undefined
        ? null
        : {
            score: score.score,
            success_ratio: score.successRatio,
            quality: score.quality,
            expected_ms: score.expectedMs,
            expected_cost_nano_usd: score.expectedCostNanoUsd ?? null,
            headroom_ratio: score.headroomRatio,
          },
  };
}
