/** How each attempt was decided, as Sluice's own member of an answer. */

import type { CandidateJudgement, RouteDecision } from "../domain/attempt.ts";

/** The member `sluice` as JSON with a comma before it; empty when the request did not ask for decisions. */
export function encodeDecisions(decisions: readonly RouteDecision[]): string {
  if (decisions.length === 0) return "";
  return `,"sluice":${JSON.stringify({ decisions: decisions.map(describeDecision) })}`;
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
