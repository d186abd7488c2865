/** What removes a candidate, in the documented order. Pure; a check allocates nothing. */

import type { Deployment } from "../../domain/deployment.ts";
import type { FallbackScope } from "../failure-policy.ts";
import type { CandidateView } from "./candidate-view.ts";
import type { ChoiceSettings } from "./choice-settings.ts";
import type { Demands } from "./demands.ts";
import { expectCostNanoUsd, expectFirstTokenMs, expectMedianMs } from "./expectation.ts";

/** The filters in the order in which they are applied; the first that holds is the one that is named. */
export const CHOICE_FILTERS = [
  "disabled",
  "tried",
  "same_provider",
  "context_not_larger",
  "vision",
  "tools",
  "json_object",
  "json_schema",
  "long_context",
  "forced_tool_call",
  "image_url",
  "stop_sequences",
  "prompt_length",
  "max_output",
  "min_success",
  "max_latency",
  "max_cost",
  "context_window",
  "credential",
  "held",
  "cooldown",
  "breaker",
  "suspect",
  "ramp",
  "headroom",
  "deadline",
] as const;

export type ChoiceFilter = (typeof CHOICE_FILTERS)[number];

/** A set of filters as bits, so that a check needs no look-up by name. */
export type FilterMask = number;

/** The number of a filter: its place in `CHOICE_FILTERS`. */
export const FILTER_CODES = Object.fromEntries(CHOICE_FILTERS.map((name, code) => [name, code])) as Readonly<
  Record<ChoiceFilter, number>
>;

/** The mask of some filters. */
export function maskOf(...filters: readonly ChoiceFilter[]): FilterMask {
  return filters.reduce((mask, name) => mask | (1 << FILTER_CODES[name]), 0);
}

/** What no waiting and no relaxation mends: only another request or another configuration. */
export const PERMANENT_FILTERS: FilterMask = maskOf(
  "disabled",
  "vision",
  "tools",
  "json_object",
  "json_schema",
  "long_context",
  "forced_tool_call",
  "image_url",
  "stop_sequences",
  "prompt_length",
  "max_output",
  "max_cost",
  "context_window",
);

/** What happened earlier in the same request. */
export interface AttemptHistory {
  /** Ids of the deployments that were tried. */
  readonly tried: ReadonlySet<string>;
  /** What failed last. */
  readonly failed: Deployment;
  /** The context window of its model. */
  readonly failedContextTokens: number;
  /** Where the failure allows to go. */
  readonly scope: FallbackScope;
  /** The tier it was chosen from, by number. */
  readonly tierIndex: number;
}

/** The moment of the decision. */
export interface FilterMoment {
  readonly demands: Demands;
  readonly settings: ChoiceSettings;
  readonly nowMs: number;
  /** Until the request's deadline; Infinity without one. */
  readonly remainingMs: number;
  /** Undefined for the first attempt. */
  readonly history: AttemptHistory | undefined;
}

/** Stands for a filter's number where no filter was asked. */
export const NOT_CHECKED = -2;

/** What `findFilter` answers for a candidate that passes. */
export const PASSED = -1;

const CODE = FILTER_CODES;

/**
 * Finds the first filter that removes a candidate, as its number, or `PASSED`.
 * Filters in `relaxed` are left out. A half-open breaker with a permit passes: whether
 * this request shall be its probe is the chooser's matter, and so is `ramp`, which is chance.
 */
export function findFilter(view: CandidateView, moment: FilterMoment, relaxed: FilterMask): number {
  if (!view.permitted) return CODE.disabled;
  if (moment.history !== undefined) {
    const code = findHistoryFilter(view, moment.history);
    if (code !== PASSED && (relaxed & (1 << code)) === 0) return code;
  }
  const { demands } = moment;
  const can = view.model.capabilities;
  if (demands.vision && !can.vision) return CODE.vision;
  if (demands.tools && !can.tools) return CODE.tools;
  if (demands.jsonObject && !can.jsonObject) return CODE.json_object;
  if (demands.jsonSchema && !can.jsonSchema) return CODE.json_schema;
  if (demands.longContext && !can.longContext) return CODE.long_context;
  const rules = view.deployment.parameters;
  if (rules !== undefined) {
    if (demands.forcedToolCall && !rules.forcedToolCalls) return CODE.forced_tool_call;
    if (demands.imageUrl && !rules.imageUrls) return CODE.image_url;
    if (demands.stopSequenceCount > rules.maxStopSequences) return CODE.stop_sequences;
  }
  if (demands.promptTokens * view.promptTokenRatio >= can.contextWindowTokens) return CODE.prompt_length;
  if (demands.maxOutputTokens !== undefined && demands.maxOutputTokens > can.maxOutputTokens) {
    return CODE.max_output;
  }
  const code = findLimitFilter(view, moment, relaxed);
  return code === PASSED ? findStateFilter(view, moment, relaxed) : code;
}

function findHistoryFilter(view: CandidateView, history: AttemptHistory): number {
  if (history.tried.has(view.deployment.id)) return CODE.tried;
  switch (history.scope) {
    case "any":
      return PASSED;
    case "other_provider":
      return view.deployment.provider === history.failed.provider ? CODE.same_provider : PASSED;
    case "larger_context":
      return view.model.capabilities.contextWindowTokens > history.failedContextTokens
        ? PASSED
        : CODE.context_not_larger;
    case "nowhere":
      return CODE.tried;
  }
}

function findLimitFilter(view: CandidateView, moment: FilterMoment, relaxed: FilterMask): number {
  const { demands, settings } = moment;
  const { minSuccessRatio, maxLatencyMs, maxCostNanoUsd } = demands.limits;
  if (
    minSuccessRatio !== undefined &&
    view.successMean < minSuccessRatio &&
    !has(relaxed, CODE.min_success)
  ) {
    return CODE.min_success;
  }
  if (
    maxLatencyMs !== undefined &&
    !has(relaxed, CODE.max_latency) &&
    expectMedianMs(view, demands, settings) > maxLatencyMs
  ) {
    return CODE.max_latency;
  }
  if (maxCostNanoUsd !== undefined) {
    const cost = expectCostNanoUsd(view, demands);
    if (cost === undefined || cost > maxCostNanoUsd) return CODE.max_cost;
  }
  if (demands.minContextTokens > view.model.capabilities.contextWindowTokens) return CODE.context_window;
  return PASSED;
}

function findStateFilter(view: CandidateView, moment: FilterMoment, relaxed: FilterMask): number {
  const { nowMs, settings } = moment;
  if (view.credentialDisabledUntilMs > nowMs) return CODE.credential;
  if (view.heldUntilMs > nowMs) return CODE.held;
  if (view.cooldownUntilMs > nowMs) return CODE.cooldown;
  if (view.breaker === "open" || view.breaker === "half_open") {
    const allowed = view.permitAvailable && (view.breaker === "half_open" || has(relaxed, CODE.breaker));
    if (!allowed) return CODE.breaker;
  } else if (view.suspect && !view.permitAvailable && !has(relaxed, CODE.suspect)) {
    return CODE.suspect;
  }
  if (view.headroomRatio <= settings.hardHeadroomRatio && !has(relaxed, CODE.headroom)) return CODE.headroom;
  if (expectFirstTokenMs(view, moment.demands, settings) > moment.remainingMs) return CODE.deadline;
  return PASSED;
}

function has(mask: FilterMask, code: number): boolean {
  return (mask & (1 << code)) !== 0;
}
