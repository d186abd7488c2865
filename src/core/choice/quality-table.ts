/**
 * How good models are at tasks: the catalog's tiers and task figures, then what
 * feedback adds (Beta per cell). Pure; a table is a value, rebuilt when its evidence changed.
 */

import { type Model, TASK_TYPES, type TaskType } from "../../domain/deployment.ts";

/** Quality by model name, 0 to 1, for one task. */
export type QualityColumn = ReadonlyMap<string, number>;

/** The quality of a model the table does not hold. */
export const DEFAULT_QUALITY = 0.5;

export interface QualityTable {
  /** The column of a task; without a task each model's mean over all of them. */
  columnOf(task: TaskType | undefined): QualityColumn;
}

/** Feedback on one model at one task: decayed masses of good and bad. */
export interface QualityEvidence {
  readonly goodMass: number;
  readonly badMass: number;
  readonly atMs: number;
}

/** Feedback by model, then task. */
export type QualityEvidenceTable = ReadonlyMap<string, ReadonlyMap<TaskType, QualityEvidence>>;

/** The mean quality that an operator's tier of 1 to 5 declares. */
const MEAN_OF_TIER = [0.5, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/** What an absent task figure counts as: the contract of `Model.taskSuitability`. */
const ABSENT_SUITABILITY = 0.5;

/** How many observations the tier's mean counts as when a task is shrunk towards it (K of routing.md 2.3). */
const TIER_MASS = 20;

/** How many observations the catalog's figure for a task counts as. */
const SUITABILITY_MASS = 20;

const HALF_LIFE_MS = 7 * 24 * 3_600_000;

/** More feedback than this is scaled down, so that a change is always learnt. */
const MAX_FEEDBACK_MASS = 200;

/** Builds the table for a catalog at a moment; without feedback from the catalog alone. */
export function buildQualityTable(
  models: readonly Model[],
  feedback: QualityEvidenceTable = new Map(),
  nowMs = 0,
): QualityTable {
  const columns = new Map<TaskType, Map<string, number>>();
  const means = new Map<string, number>(models.map((model) => [model.name, 0]));
  for (const task of TASK_TYPES) {
    const column = new Map<string, number>();
    for (const model of models) {
      const quality = estimateQuality(model, task, feedback.get(model.name)?.get(task), nowMs);
      column.set(model.name, quality);
      means.set(model.name, (means.get(model.name) ?? 0) + quality / TASK_TYPES.length);
    }
    columns.set(task, column);
  }
  return { columnOf: (task) => (task === undefined ? means : (columns.get(task) ?? means)) };
}

function estimateQuality(
  model: Model,
  task: TaskType,
  evidence: QualityEvidence | undefined,
  nowMs: number,
): number {
  const tier = Math.min(Math.max(Math.round(model.tiers.quality), 1), 5);
  const suitability = Math.min(Math.max(model.taskSuitability[task] ?? ABSENT_SUITABILITY, 0), 1);
  const priorGood = TIER_MASS * (MEAN_OF_TIER[tier] ?? DEFAULT_QUALITY) + SUITABILITY_MASS * suitability;
  const fresh = evidence === undefined ? undefined : decayEvidence(evidence, nowMs);
  const good = priorGood + (fresh?.goodMass ?? 0);
  const mass = TIER_MASS + SUITABILITY_MASS + (fresh === undefined ? 0 : fresh.goodMass + fresh.badMass);
  return good / mass;
}

/**
 * Adds one judgement: `score` 0 (bad) to 1 (good), counting as `weight` observations
 * (½ for a judge's verdict on two answers). What is older decays with a half-life of 7 days.
 */
export function addFeedback(
  evidence: QualityEvidence | undefined,
  judgement: { readonly score: number; readonly weight: number },
  nowMs: number,
): QualityEvidence {
  const before = decayEvidence(evidence ?? { goodMass: 0, badMass: 0, atMs: nowMs }, nowMs);
  const score = Math.min(Math.max(judgement.score, 0), 1);
  const goodMass = before.goodMass + judgement.weight * score;
  const badMass = before.badMass + judgement.weight * (1 - score);
  const scale = Math.min(1, MAX_FEEDBACK_MASS / Math.max(goodMass + badMass, Number.MIN_VALUE));
  return { goodMass: goodMass * scale, badMass: badMass * scale, atMs: before.atMs };
}

function decayEvidence(evidence: QualityEvidence, nowMs: number): QualityEvidence {
  const ageMs = Math.max(nowMs - evidence.atMs, 0);
  const factor = 2 ** (-ageMs / HALF_LIFE_MS);
  return {
    goodMass: evidence.goodMass * factor,
    badMass: evidence.badMass * factor,
    atMs: evidence.atMs + ageMs,
  };
}
