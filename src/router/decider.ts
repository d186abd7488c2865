/** Makes the decision for one attempt out of what is known now. */

import type { ChoiceSettings } from "../core/choice/choice-settings.ts";
import { Chooser } from "../core/choice/choose.ts";
import type { Decision, Relaxation } from "../core/choice/decision.ts";
import { type Demands, deriveDemands } from "../core/choice/demands.ts";
import type { AttemptHistory } from "../core/choice/hard-filters.ts";
import type { QualityTable } from "../core/choice/quality-table.ts";
import type { TierRotation } from "../core/choice/tier-rotation.ts";
import { estimateFixedTokens, estimatePromptTokens } from "../core/estimate-prompt-tokens.ts";
import type { TaskClassifier } from "../core/tasks/task-classifier.ts";
import type { RouteDecision } from "../domain/attempt.ts";
import type { TaskType } from "../domain/deployment.ts";
import type { Clock, Random } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { CandidateSource, LiveSet } from "../policies/candidates/candidate-source.ts";
import type { Incumbents } from "../policies/rotation/incumbents.ts";

/** What decisions stand on. */
export interface DeciderParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly source: CandidateSource;
  readonly quality: QualityTable;
  readonly rotation: TierRotation;
  readonly incumbents: Incumbents;
  readonly classifier: TaskClassifier;
  readonly settings: ChoiceSettings;
}

/** What is worked out once per request. */
export interface DecisionFacts {
  readonly live: LiveSet;
  readonly demands: Demands;
  readonly settings: ChoiceSettings;
  readonly deadlineMs: number;
  readonly explain: boolean;
}

/** What differs between the attempts of a request. */
export interface DecisionStep {
  readonly history: AttemptHistory | undefined;
  readonly lastAttempt: boolean;
  readonly relaxedBefore: readonly Relaxation[];
}

const FIRST_STEP: DecisionStep = { history: undefined, lastAttempt: false, relaxedBefore: [] };

/** Looking does not take a turn. */
const LOOKING_ONLY: TierRotation = { take: () => 0 };

/** Decides over candidate sets; a set resolved anew or the chosen one is all it remembers. */
export class Decider {
  readonly #parts: DeciderParts;
  readonly #chooser = new Chooser();

  constructor(parts: DeciderParts) {
    this.#parts = parts;
  }

  /** Works out what a request demands of a set of candidates. */
  deriveFacts(request: GenerationRequest, live: LiveSet, deadlineMs: number): DecisionFacts {
    const { maxLatencyMs, minSuccessRatio, maxCostNanoUsd } = request.requirements;
    const limits = {
      ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
      ...(minSuccessRatio === undefined ? {} : { minSuccessRatio }),
      ...(maxCostNanoUsd === undefined ? {} : { maxCostNanoUsd }),
    };
    const fixedPromptTokens = estimateFixedTokens(request);
    const demands = deriveDemands(request, {
      promptTokens: estimatePromptTokens(request, fixedPromptTokens),
      fixedPromptTokens,
      task: this.#guessTask(request),
      limits,
    });
    return {
      live,
      demands,
      settings: this.#settingsOf(request),
      deadlineMs,
      explain: request.explain ?? false,
    };
  }

  /** Decides, and takes the turn that the decision uses up. */
  decide(facts: DecisionFacts, step: DecisionStep): Decision {
    const { rotation, incumbents } = this.#parts;
    let decision = this.#choose(facts, step, rotation, facts.explain);
    if (decision.kind === "none" && decision.cause === "deadline" && step.history === undefined) {
      // Estimates may be wrong: a first attempt that is late is better than none.
      decision = this.#choose({ ...facts, deadlineMs: Infinity }, step, rotation, facts.explain);
    }
    if (decision.kind === "chosen") {
      const { set } = facts.live;
      incumbents.remember(set.target, facts.demands.priority, decision.view.deployment.id);
    }
    return decision;
  }

  /** Decides without taking a turn or leaving a trace: what is found may never be used. */
  look(facts: DecisionFacts, step: DecisionStep): Decision {
    return this.#choose(facts, step, LOOKING_ONLY, facts.explain);
  }

  /** Looks as for a first attempt, and explains. */
  explain(facts: DecisionFacts): Decision {
    return this.#choose(facts, FIRST_STEP, LOOKING_ONLY, true);
  }

  #choose(facts: DecisionFacts, step: DecisionStep, rotation: TierRotation, explain: boolean): Decision {
    const { clock, random, source, quality, incumbents } = this.#parts;
    const nowMs = clock.nowMs();
    const { live, demands, settings } = facts;
    return this.#chooser.choose({
      set: live.set,
      views: source.refresh(live),
      demands,
      settings,
      quality,
      nowMs,
      remainingMs: facts.deadlineMs - nowMs,
      history: step.history,
      lastAttempt: step.lastAttempt,
      relaxedBefore: step.relaxedBefore,
      incumbentId: incumbents.find(live.set.target, demands.priority),
      demandRatios: undefined,
      rotation,
      random,
      explain,
    });
  }

  #guessTask(request: GenerationRequest): TaskType | undefined {
    if (request.taskType !== undefined) return request.taskType;
    const { source, classifier } = this.#parts;
    return source.catalog.targets.defaults.taskType ?? classifier.classify(request);
  }

  #settingsOf({ weights, priority }: GenerationRequest): ChoiceSettings {
    const { settings } = this.#parts;
    if (weights === undefined) return settings;
    const sum = weights.quality + weights.latency + weights.cost;
    const own = { quality: weights.quality / sum, speed: weights.latency / sum, cost: weights.cost / sum };
    return { ...settings, weights: { ...settings.weights, [priority]: own } };
  }
}

/** A decision as callers are told of it. `decision` must carry its explanation. */
export function describeDecision(
  decision: Decision,
  facts: DecisionFacts,
  attemptNumber: number,
): RouteDecision {
  const candidates = (decision.explanation ?? []).map(({ view, tier, filter, score, chosen }) => ({
    deployment: view.deployment,
    tier,
    chosen,
    removedBy: filter,
    score:
      score === undefined
        ? undefined
        : {
            score: score.utility,
            successRatio: score.successRatio,
            quality: score.quality,
            expectedMs: score.expectedMs,
            expectedCostNanoUsd: score.expectedCostNanoUsd,
            headroomRatio: view.headroomRatio,
          },
  }));
  return {
    attemptNumber: decision.kind === "chosen" ? attemptNumber : 0,
    target: facts.live.set.target,
    taskType: facts.demands.task,
    candidates: candidates.toSorted((a, b) => rankCandidate(b) - rankCandidate(a)),
    relaxed: decision.kind === "chosen" && decision.relaxed !== undefined ? [decision.relaxed] : [],
  };
}

function rankCandidate({ chosen, score }: RouteDecision["candidates"][number]): number {
  if (chosen) return Number.POSITIVE_INFINITY;
  return score?.score ?? Number.NEGATIVE_INFINITY;
}
