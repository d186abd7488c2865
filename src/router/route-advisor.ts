/** Tells how requests would be decided, without making attempts. */

import { targetError } from "../core/candidates/target-failure.ts";
import { noCandidateError, type RemovedCandidate } from "../core/route-errors.ts";
import type { CandidateScore, RouteDecision } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { Clock } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { CandidateSource } from "../policies/candidates/candidate-source.ts";
import { type Decider, describeDecision } from "./decider.ts";
import { describeRemoved } from "./explain-no-candidate.ts";

/** How a request would be decided now. */
export type RouteExplanation =
  | { readonly kind: "explained"; readonly decision: RouteDecision; readonly error: RouteError | undefined }
  | { readonly kind: "failed"; readonly error: RouteError };

/** A model and its best deployment now. */
export interface ModelRecommendation {
  readonly deployment: Deployment;
  readonly score: CandidateScore;
}

/** Looks at what the router would do. */
export class RouteAdvisor {
  readonly #source: CandidateSource;
  readonly #decider: Decider;
  readonly #clock: Clock;

  constructor(source: CandidateSource, decider: Decider, clock: Clock) {
    this.#source = source;
    this.#decider = decider;
    this.#clock = clock;
  }

  /** How the first attempt of a request would be decided. Fails only for a target that nothing has. */
  explain(request: GenerationRequest): RouteExplanation {
    const resolved = this.#source.resolve(request.target);
    if (resolved.kind === "failed") return { kind: "failed", error: targetError(resolved.failure) };
    const facts = this.#decider.deriveFacts(request, resolved.live, Number.POSITIVE_INFINITY);
    const decision = this.#decider.explain(facts);
    const described = describeDecision(decision, facts, 1);
    if (decision.kind === "chosen") return { kind: "explained", decision: described, error: undefined };
    const removed = decision.explanation.flatMap(({ view, filter }): RemovedCandidate[] =>
      filter === undefined ? [] : [describeRemoved(view, filter, facts.demands)],
    );
    const { cause, retryAtMs } = decision;
    const delayMs = retryAtMs === undefined ? undefined : retryAtMs - this.#clock.nowMs();
    return { kind: "explained", decision: described, error: noCandidateError(cause, removed, delayMs) };
  }

  /** The models that could serve a request, the best first, each with its best deployment. */
  recommend(request: GenerationRequest): readonly ModelRecommendation[] {
    const explanation = this.explain({ ...request, target: { kind: "named", name: "auto" } });
    if (explanation.kind === "failed") return [];
    const best = new Map<string, ModelRecommendation>();
    for (const { deployment, score } of explanation.decision.candidates) {
      if (score === undefined) continue;
      const known = best.get(deployment.model);
      if (known === undefined || score.score > known.score.score)
        best.set(deployment.model, { deployment, score });
    }
    return [...best.values()].toSorted((a, b) => b.score.score - a.score.score);
  }
}
