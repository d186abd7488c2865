/** Chooses who serves an attempt: hard filters, then tiers, then the best, nearly best or next in turn. */

import type { ChoiceInput } from "./choice-input.ts";
import { type ChoiceReason, type Decision, RELAXATIONS, type Relaxation } from "./decision.ts";
import { clipOutputTokens } from "./demands.ts";
import { describeFailure } from "./describe-failure.ts";
import { explainCandidates } from "./explain.ts";
import { FILTER_CODES, type FilterMask, findFilter, maskOf, PASSED } from "./hard-filters.ts";
import { pickAdaptive } from "./pick-adaptive.ts";
import { Scratch } from "./scratch.ts";
import { listTierPhases, type TierPhase } from "./tier-phases.ts";
import type { ScoreContext } from "./utility.ts";

/** What each relaxation leaves out, beside all that went before it. */
const RELAXED_FILTERS: Readonly<Record<Relaxation, FilterMask>> = {
  // Neither a rumour nor a ramp may leave a request without a candidate.
  suspect: maskOf("suspect", "ramp"),
  min_success: maskOf("min_success"),
  max_latency: maskOf("max_latency"),
  headroom: maskOf("headroom"),
  breaker: maskOf("breaker"),
};

/**
 * Makes decisions. It holds only scratch memory, nothing between two decisions: the same
 * input with the same random numbers gives the same decision. Synchronous; not re-entrant.
 */
export class Chooser {
  readonly #scratch = new Scratch();
  #removedMask: FilterMask = 0;
  #relaxed: FilterMask = 0;

  /**
   * Decides. When nothing passes, rules are given up in the order of `RELAXATIONS`,
   * each only if that may help; capabilities, residency, the cost limit, a credential
   * that was refused, Retry-After and the deadline are never given up.
   */
  choose(input: ChoiceInput): Decision {
    this.#scratch.reset(input.views);
    const context: ScoreContext = {
      demands: input.demands,
      settings: input.settings,
      quality: input.quality.columnOf(input.demands.task),
      failedProvider: input.history?.failed.provider,
    };
    this.#removedMask = 0;
    this.#relaxed = 0;
    let decision = this.#pass(input, context, undefined);
    for (const relaxation of RELAXATIONS) {
      if (decision !== undefined) return decision;
      if (isSpent(relaxation, input)) continue;
      const mask = RELAXED_FILTERS[relaxation];
      this.#relaxed |= mask;
      if ((this.#removedMask & mask) !== 0) decision = this.#pass(input, context, relaxation);
    }
    if (decision !== undefined) return decision;
    return describeFailure(input, explainCandidates(input, context, this.#scratch, undefined));
  }

  #pass(input: ChoiceInput, context: ScoreContext, relaxed: Relaxation | undefined): Decision | undefined {
    const { set, history } = input;
    for (const phase of listTierPhases(set.fallback, history, set.tiers.length)) {
      let spilledTier = -1;
      for (let tierIndex = phase.fromTier; tierIndex < phase.toTier; tierIndex++) {
        this.#filterTier(input, phase, tierIndex);
        if (this.#scratch.usableCount === 0) continue;
        if (relaxed === undefined && tierIndex + 1 < phase.toTier && this.#spills(input, tierIndex)) {
          if (spilledTier < 0) spilledTier = tierIndex;
          continue;
        }
        const decision = this.#takeFrom(input, context, phase, tierIndex, relaxed);
        if (decision !== undefined) return decision;
      }
      if (spilledTier < 0) continue;
      // Nothing below can serve: a crowded tier is better than none.
      this.#filterTier(input, phase, spilledTier);
      const decision = this.#takeFrom(input, context, phase, spilledTier, relaxed);
      if (decision !== undefined) return decision;
    }
    return undefined;
  }

  #filterTier(input: ChoiceInput, phase: TierPhase, tierIndex: number): void {
    const scratch = this.#scratch;
    const views = input.views[tierIndex] ?? [];
    const { random, history } = input;
    const relaxed = this.#relaxed | phase.relaxed;
    const offset = scratch.offsetOf(tierIndex);
    scratch.usableCount = 0;
    for (let index = 0; index < views.length; index++) {
      const view = views[index];
      if (view === undefined) continue;
      let code = findFilter(view, input, relaxed);
      if (code === PASSED && view.breaker === "half_open" && !this.#mayProbe(input)) {
        if ((relaxed & RELAXED_FILTERS.breaker) === 0) code = FILTER_CODES.breaker;
      } else if (code === PASSED && view.breaker === "ramping" && view.rampRatio < 1) {
        if ((relaxed & RELAXED_FILTERS.suspect) === 0 && random.next() >= view.rampRatio)
          code = FILTER_CODES.ramp;
      }
      scratch.codes[offset + index] = code;
      if (code !== PASSED) {
        this.#removedMask |= 1 << code;
        continue;
      }
      if (phase.otherProvider && view.deployment.provider === history?.failed.provider) continue;
      if (phase.sameDeployment && view.deployment.id !== history?.failed.id) continue;
      scratch.addUsable(view, offset + index);
    }
  }

  /** Whether this request may be a probe: not its last chance, not a fallback, seldom an urgent one. */
  #mayProbe({ lastAttempt, history, demands, settings, random }: ChoiceInput): boolean {
    if (lastAttempt || history !== undefined) return false;
    return demands.priority !== "speed" || random.next() < settings.speedProbeRatio;
  }

  /** Whether this request leaves a crowded tier to the others: by chance, in proportion to what the tier lacks. */
  #spills({ set, views, settings, demandRatios, random }: ChoiceInput, tierIndex: number): boolean {
    if (set.tiers[tierIndex]?.rotation !== "adaptive") return false;
    let headroom = 0;
    for (let index = 0; index < this.#scratch.usableCount; index++) {
      headroom += this.#scratch.usable[index]?.headroomRatio ?? 0;
    }
    const demandRatio = demandRatios?.[tierIndex] ?? settings.assumedDemandRatio;
    const capacity = (settings.spillFactor * headroom) / Math.max(views[tierIndex]?.length ?? 1, 1);
    return capacity < demandRatio && random.next() >= capacity / demandRatio;
  }

  #takeFrom(
    input: ChoiceInput,
    context: ScoreContext,
    phase: TierPhase,
    tierIndex: number,
    relaxed: Relaxation | undefined,
  ): Decision | undefined {
    const tier = input.set.tiers[tierIndex];
    const scratch = this.#scratch;
    if (tier === undefined) return undefined;
    const usable = scratch.listUsable();
    let place: number;
    let reason: ChoiceReason;
    if (phase.sameDeployment) {
      place = 0;
      reason = "same";
    } else if (relaxed === "headroom") {
      place = findMostHeadroom(usable);
      reason = "headroom";
    } else if (tier.rotation === "adaptive" || relaxed === "breaker") {
      place = pickAdaptive(input, context, tier, scratch);
      reason = relaxed === "breaker" ? "forced_probe" : scratch.reason;
    } else {
      place = tier.rotation === "fixed" ? 0 : input.rotation.take(tier, usable, input.nowMs);
      reason = usable[place]?.breaker === "half_open" ? "probe" : "rotation";
    }
    const view = usable[place];
    if (view === undefined) return undefined;
    return {
      kind: "chosen",
      view,
      tier,
      tierIndex,
      reason,
      relaxed,
      maxOutputTokens: clipOutputTokens(input.demands, view),
      explanation: input.explain ? explainCandidates(input, context, scratch, view) : undefined,
    };
  }
}

/** Headroom and breakers are given up once per request, so that one request cannot hammer what is exhausted. */
function isSpent(relaxation: Relaxation, { relaxedBefore }: ChoiceInput): boolean {
  return (relaxation === "headroom" || relaxation === "breaker") && relaxedBefore.includes(relaxation);
}

function findMostHeadroom(usable: ChoiceInput["views"][number]): number {
  let best = 0;
  for (let index = 1; index < usable.length; index++) {
    if ((usable[index]?.headroomRatio ?? 0) > (usable[best]?.headroomRatio ?? 0)) best = index;
  }
  return best;
}
