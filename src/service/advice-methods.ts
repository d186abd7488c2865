/** The methods RecommendModels and ExplainRoute of ModelService. */

import { create } from "@bufbuild/protobuf";
import {
  ExplainRouteResponseSchema,
  ModelRecommendationSchema,
  ModelService,
  type RecommendModelsRequest,
  type RecommendModelsResponse,
  RecommendModelsResponseSchema,
} from "../../gen/sluice/v1/model_service_pb.ts";
import type { MetricsSource } from "../domain/metrics.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { RouteAdvisor } from "../router/route-advisor.ts";
import { type RpcMethod, type UnaryCall, unary } from "./call.ts";
import { decodePriority, decodeRequest } from "./decode-request.ts";
import { decodeRequirements } from "./decode-requirements.ts";
import { encodeDecision, encodeScore } from "./encode-decision.ts";
import { encodeModelMetrics } from "./encode-metrics.ts";
import { invalidRequestError } from "./router-methods.ts";
import { isTaskType, readTaskType } from "./task-types.ts";
import { Violations } from "./violations.ts";

const MAX_MODELS = 100;

/** RecommendModels and ExplainRoute over an advisor. */
export function adviceMethods(advisor: RouteAdvisor, metrics: MetricsSource): readonly RpcMethod[] {
  return [
    unary(ModelService.method.recommendModels, (request, call) => recommend(advisor, metrics, request, call)),
    unary(ModelService.method.explainRoute, ({ spec }, call) => {
      const decoded = decodeRequest(spec);
      if (!decoded.ok) return call.fail(invalidRequestError(decoded.violations));
      const explanation = advisor.explain(decoded.request);
      if (explanation.kind === "failed") return call.fail(explanation.error);
      const { decision, error } = explanation;
      call.respond(
        create(ExplainRouteResponseSchema, {
          decision: encodeDecision(decision),
          errorReason: error?.reason ?? "",
          errorMessage: error?.message ?? "",
        }),
      );
    }),
  ];
}

function recommend(
  advisor: RouteAdvisor,
  metrics: MetricsSource,
  message: RecommendModelsRequest,
  call: UnaryCall<RecommendModelsResponse>,
): void {
  const violations = new Violations();
  const priority = decodePriority(message.priority, "priority", violations);
  const requirements = decodeRequirements(message.requirements, "requirements", violations);
  const { taskType, maxModelCount } = message;
  if (!isTaskType(taskType)) violations.add("task_type", `${taskType} is not a known value`);
  if (maxModelCount !== undefined && !(maxModelCount >= 1 && maxModelCount <= MAX_MODELS)) {
    violations.add("max_model_count", `is ${maxModelCount}; must be 1 to ${MAX_MODELS} inclusive`);
  }
  if (violations.list.length > 0) return call.fail(invalidRequestError(violations.list));
  const request: GenerationRequest = {
    messages: [{ role: "user", parts: [{ kind: "text", text: "?" }] }],
    target: { kind: "automatic" },
    taskType: readTaskType(taskType) ?? "text_generation",
    priority,
    requirements,
    sampling: {},
    tools: [],
  };
  const best = advisor.recommend(request).slice(0, maxModelCount ?? MAX_MODELS);
  const measured = new Map(metrics.snapshot([]).models.map((each) => [each.model.name, each]));
  call.respond(
    create(RecommendModelsResponseSchema, {
      recommendations: best.map(({ deployment, score }) => {
        const performance = measured.get(deployment.model);
        return create(ModelRecommendationSchema, {
          model: deployment.model,
          deployment: deployment.id,
          score: encodeScore(score),
          ...(performance === undefined ? {} : { performance: encodeModelMetrics(performance) }),
        });
      }),
    }),
  );
}
