/** Which deployments may serve a request, and in which order. Pure: request and catalog in, plan out. */

import type { Deployment, Model } from "../domain/deployment.ts";
import type { GenerationRequest, Priority } from "../domain/request.ts";

/** The hard filters, in the order in which they are applied. */
export type PlanFilter =
  | "vision"
  | "tools"
  | "json_object"
  | "json_schema"
  | "long_context"
  | "context_window"
  | "max_output";

/** A model that may not serve, and the first filter that says so. */
export interface RemovedModel {
  readonly model: string;
  readonly filter: PlanFilter;
}

export type Plan =
  | { readonly kind: "candidates"; readonly deployments: readonly Deployment[] }
  | { readonly kind: "unknown_model"; readonly model: string }
  | { readonly kind: "none_fits"; readonly removed: readonly RemovedModel[] };

/** How suitable a model is for a task its catalog entry does not list (seed 000's default). */
const DEFAULT_SUITABILITY = 0.5;

/**
 * Plans a request:
 * 1. the candidates are the named model, or all of the catalog;
 * 2. hard filters remove what cannot serve it, in the order of `PlanFilter`;
 * 3. the rest is ordered by the tier that the priority names, then by how
 *    suitable the catalog says a model is for the task, then by the catalog's order;
 * 4. each model's deployments follow in their own order.
 */
export function planRequest(request: GenerationRequest, models: readonly Model[]): Plan {
  const { target } = request;
  const named = target.kind === "model" ? models.filter((model) => model.name === target.model) : models;
  if (target.kind === "model" && named.length === 0) return { kind: "unknown_model", model: target.model };

  const fitting: Model[] = [];
  const removed: RemovedModel[] = [];
  const demands = deriveDemands(request);
  for (const model of named) {
    const filter = findFilter(demands, model);
    if (filter === undefined) fitting.push(model);
    else removed.push({ model: model.name, filter });
  }
  if (fitting.length === 0) return { kind: "none_fits", removed };
  return { kind: "candidates", deployments: orderModels(fitting, request).flatMap((m) => m.deployments) };
}

interface Demands {
  readonly vision: boolean;
  readonly tools: boolean;
  readonly jsonObject: boolean;
  readonly jsonSchema: boolean;
  readonly longContext: boolean;
  readonly contextTokens: number;
  readonly outputTokens: number;
}

function deriveDemands(request: GenerationRequest): Demands {
  const { requirements, responseFormat, taskType } = request;
  return {
    vision:
      requirements.vision ||
      taskType === "vision_analysis" ||
      request.messages.some((message) => message.parts.some((part) => part.kind === "image")),
    tools: requirements.tools || request.tools.length > 0,
    jsonObject: requirements.jsonOutput || responseFormat?.kind === "json_object",
    jsonSchema: responseFormat?.kind === "json_schema",
    longContext: requirements.longContext || taskType === "long_context",
    contextTokens: requirements.contextTokens ?? 0,
    outputTokens: request.sampling.maxOutputTokens ?? 0,
  };
}

function findFilter(demands: Demands, model: Model): PlanFilter | undefined {
  const can = model.capabilities;
  if (demands.vision && !can.vision) return "vision";
  if (demands.tools && !can.tools) return "tools";
  if (demands.jsonObject && !can.jsonObject) return "json_object";
  if (demands.jsonSchema && !can.jsonSchema) return "json_schema";
  if (demands.longContext && !can.longContext) return "long_context";
  if (demands.contextTokens > can.contextWindowTokens) return "context_window";
  if (demands.outputTokens > can.maxOutputTokens) return "max_output";
  return undefined;
}

/** Lower is better. */
const TIER_RANKS: Readonly<Record<Priority, (model: Model) => number>> = {
  speed: (model) => model.tiers.speed,
  quality: (model) => -model.tiers.quality,
  cost: (model) => model.tiers.cost,
  balanced: () => 0,
};

function orderModels(models: readonly Model[], request: GenerationRequest): readonly Model[] {
  if (models.length === 1) return models;
  const rankTier = TIER_RANKS[request.priority];
  const { taskType } = request;
  const rankTask = (model: Model) =>
    taskType === undefined ? 0 : -(model.taskSuitability[taskType] ?? DEFAULT_SUITABILITY);
  // The sort is stable (ECMA-262), so equal models keep the order of the catalog.
  return models.toSorted((a, b) => rankTier(a) - rankTier(b) || rankTask(a) - rankTask(b));
}
