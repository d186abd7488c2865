/** Tells how requests would be decided, without making attempts. */

import { targetError } from "../core/candidates/target-failure.ts";
import type { CandidateScore, RouteDecision } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { GenerationRequest } from "../domain/request.ts";
import { describeDecision } from "./decider.ts";
import { explainNoCandidate } from "./explain-no-candidate.ts";
import { fitContext } from "./fit-context.ts";
import type { RouterParts } from "./router-parts.ts";

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
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /**
   * How the first attempt of a request would be decided, after what its context policy does
   * to a prompt that is too long. Fails only for a target that nothing has.
   */
  explain(asked: GenerationRequest): RouteExplanation {
    const { source, decider, options } = this.#parts;
    const resolved = source.resolve(asked.target);
    if (resolved.kind === "failed") return { kind: "failed", error: targetError(resolved.failure) };
    const { request, live } = fitContext(
      this.#parts,
      asked,
      resolved.live,
      asked.contextOverflow ?? options.contextOverflow ?? "fail",
    );
    const facts = decider.deriveFacts(request, live, Number.POSITIVE_INFINITY);
    const decision = decider.explain(facts);
    const described = describeDecision(decision, facts, 1);
    const error =
      decision.kind === "chosen" ? undefined : explainNoCandidate(this.#parts, request, facts, decision);
    return { kind: "explained", decision: described, error };
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
