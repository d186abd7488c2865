/** Decisions in the contract's words. */

import { create } from "@bufbuild/protobuf";
import {
  CandidateJudgementSchema,
  type CandidateScore as CandidateScoreMessage,
  CandidateScoreSchema,
  type Decision,
  DecisionSchema,
} from "../../gen/sluice/v1/generation_pb.ts";
import type { CandidateScore, RouteDecision } from "../domain/attempt.ts";
import { encodeDuration } from "./encode-attempt.ts";
import { encodeTaskType } from "./task-types.ts";

/** How the candidates of one attempt were judged. */
export function encodeDecision(decision: RouteDecision): Decision {
  return create(DecisionSchema, {
    attemptNumber: decision.attemptNumber,
    target: decision.target,
    taskType: encodeTaskType(decision.taskType),
    relaxed: [...decision.relaxed],
    candidates: decision.candidates.map(({ deployment, tier, chosen, removedBy, score }) =>
      create(CandidateJudgementSchema, {
        deployment: deployment.id,
        model: deployment.model,
        provider: deployment.provider,
        tier,
        chosen,
        removedBy: removedBy ?? "",
        ...(score === undefined ? {} : { score: encodeScore(score) }),
      }),
    ),
  });
}

/** What speaks for a candidate. */
export function encodeScore(score: CandidateScore): CandidateScoreMessage {
  const { expectedCostNanoUsd } = score;
  return create(CandidateScoreSchema, {
    score: score.score,
    successRatio: score.successRatio,
    quality: score.quality,
    expectedDuration: encodeDuration(score.expectedMs),
    headroomRatio: score.headroomRatio,
    ...(expectedCostNanoUsd === undefined
      ? {}
      : { expectedCostNanoUsd: BigInt(Math.round(expectedCostNanoUsd)) }),
  });
}
