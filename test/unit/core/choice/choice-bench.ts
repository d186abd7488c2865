import type { CandidateSet, CandidateTier } from "../../../../src/core/candidate-set.ts";
import type { CandidateView } from "../../../../src/core/choice/candidate-view.ts";
import type { ChoiceInput } from "../../../../src/core/choice/choice-input.ts";
import { type ChoiceSettings, DEFAULT_CHOICE_SETTINGS } from "../../../../src/core/choice/choice-settings.ts";
import { Chooser } from "../../../../src/core/choice/choose.ts";
import type { Decision, Relaxation } from "../../../../src/core/choice/decision.ts";
import { type ChoiceLimits, deriveDemands } from "../../../../src/core/choice/demands.ts";
import type { AttemptHistory } from "../../../../src/core/choice/hard-filters.ts";
import { buildQualityTable } from "../../../../src/core/choice/quality-table.ts";
import type { ScoreContext } from "../../../../src/core/choice/utility.ts";
import type { Model, TaskType } from "../../../../src/domain/deployment.ts";
import type { Random } from "../../../../src/domain/ports.ts";
import type { GenerationRequest } from "../../../../src/domain/request.ts";
import { seededRandom } from "../../../../src/lib/random.ts";
import { type ModelChanges, sampleModel, sampleRequest } from "../../../support/sample-catalog.ts";

/** Always the middle: nothing is drawn away from the mean. */
export const MIDDLE: Random = { next: () => 0.5 };

export const NOW_MS = 10_000;

export type ViewChanges = Partial<Omit<CandidateView, "deployment" | "model">>;

/** The view of a healthy, measured, idle deployment. */
export function sampleView(model: Model, changes: ViewChanges = {}, place = 0): CandidateView {
  const deployment = model.deployments[place];
  if (deployment === undefined) throw new Error(`${model.name} has no deployment ${place}`);
  return {
    deployment,
    model,
    permitted: true,
    successMean: 0.995,
    successDeviation: 0,
    ttftMeanMs: 500,
    ttftLogDeviation: 0,
    tpotMs: 10,
    inFlightCount: 0,
    headroomRatio: 1,
    cooldownUntilMs: 0,
    credentialDisabledUntilMs: 0,
    heldUntilMs: 0,
    breaker: "closed",
    openUntilMs: 0,
    permitAvailable: true,
    rampRatio: 1,
    promptTokenRatio: 1,
    suspect: false,
    lastSampleAgeMs: 1_000,
    ...changes,
  };
}

/** The view of a model of its own with one deployment, `<name>-provider/<name>` or by another provider. */
export function viewOf(name: string, changes: ViewChanges = {}, model: ModelChanges = {}): CandidateView {
  return sampleView(sampleModel(name, model), changes);
}

export interface TierOptions {
  readonly rotation?: CandidateTier["rotation"];
  readonly name?: string;
  readonly scopes?: readonly string[];
}

export interface InputOptions {
  readonly request?: Partial<GenerationRequest>;
  readonly limits?: ChoiceLimits;
  readonly promptTokens?: number;
  readonly task?: TaskType;
  readonly settings?: Partial<ChoiceSettings>;
  readonly history?: AttemptHistory;
  readonly lastAttempt?: boolean;
  readonly relaxedBefore?: readonly Relaxation[];
  readonly incumbentId?: string;
  readonly demandRatios?: ChoiceInput["demandRatios"];
  readonly rotation?: ChoiceInput["rotation"];
  readonly random?: Random;
  readonly remainingMs?: number;
  readonly nowMs?: number;
  readonly explain?: boolean;
  readonly fallback?: CandidateSet["fallback"];
  readonly tiers?: readonly TierOptions[];
  readonly quality?: ChoiceInput["quality"];
}

/** The input of a decision among tiers of candidates. */
export function sampleInput(
  tiers: readonly (readonly CandidateView[])[],
  options: InputOptions = {},
): ChoiceInput {
  const models = [...new Set(tiers.flat().map((view) => view.model))];
  return {
    set: {
      target: "auto",
      tiers: tiers.map((views, index) => ({
        name: options.tiers?.[index]?.name ?? `tier ${index}`,
        deployments: views.map((view) => view.deployment),
        rotation: options.tiers?.[index]?.rotation ?? "adaptive",
        settings: {},
        scopes: options.tiers?.[index]?.scopes ?? [],
      })),
      fallback: options.fallback ?? "spill",
      maxAttempts: undefined,
      retryDelayMs: 0,
      breaker: undefined,
      strategy: undefined,
      judges: [],
    },
    views: tiers,
    demands: deriveDemands(sampleRequest(options.request), {
      promptTokens: options.promptTokens ?? 100,
      task: options.task,
      limits: options.limits ?? {},
    }),
    settings: { ...DEFAULT_CHOICE_SETTINGS, ...options.settings },
    nowMs: options.nowMs ?? NOW_MS,
    remainingMs: options.remainingMs ?? 60_000,
    history: options.history,
    quality: options.quality ?? buildQualityTable(models),
    lastAttempt: options.lastAttempt ?? false,
    relaxedBefore: options.relaxedBefore ?? [],
    incumbentId: options.incumbentId,
    demandRatios: options.demandRatios,
    rotation: options.rotation ?? { take: () => 0 },
    random: options.random ?? MIDDLE,
    explain: options.explain ?? false,
  };
}

/** The same for a fall-back after a failure at `failed`. */
export function historyAfter(failed: CandidateView, changes: Partial<AttemptHistory> = {}): AttemptHistory {
  return {
    tried: new Set([failed.deployment.id]),
    failed: failed.deployment,
    failedContextTokens: failed.model.capabilities.contextWindowTokens,
    scope: "any",
    tierIndex: 0,
    ...changes,
  };
}

export function scoreContext(input: ChoiceInput): ScoreContext {
  return {
    demands: input.demands,
    settings: input.settings,
    quality: input.quality.columnOf(input.demands.task),
    failedProvider: input.history?.failed.provider,
  };
}

/** Decides with a new chooser. */
export function decide(tiers: readonly (readonly CandidateView[])[], options: InputOptions = {}): Decision {
  return new Chooser().choose(sampleInput(tiers, options));
}

/** The name of the model that was chosen, or `none: <cause>`. */
export function nameChoice(decision: Decision): string {
  return decision.kind === "chosen" ? decision.view.model.name : `none: ${decision.cause}`;
}

/** How often each model is chosen in many decisions, by name. */
export function countChoices(
  tiers: readonly (readonly CandidateView[])[],
  options: InputOptions,
  decisionCount: number,
): ReadonlyMap<string, number> {
  const chooser = new Chooser();
  const input = sampleInput(tiers, { random: seededRandom(7), ...options });
  const counts = new Map<string, number>();
  for (let index = 0; index < decisionCount; index++) {
    const name = nameChoice(chooser.choose(input));
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
