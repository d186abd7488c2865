/** Each kind of evidence has exactly one door: which outcome of an attempt may change what. Pure. */

import type { Outcome } from "../../domain/outcome.ts";

/**
 * What an ended attempt says about its deployment, and so what it may change:
 * - `ok`: success posterior, latency, trip statistic (downwards);
 * - `hard`: success posterior, trip statistic;
 * - `weak`: the same at half the weight; never a latency sample but a censored one;
 * - `limited`: cooldown and admitted rate, and nothing else: a 429 says nothing about health;
 * - `credential`: the credential is disabled, and nothing else;
 * - `held`: the provider does not have or grant the model: the deployment is set aside;
 * - `none`: the caller's or our own doing; it leaves no trace.
 */
export type EvidenceKind = "ok" | "hard" | "weak" | "limited" | "credential" | "held" | "none";

/** The door of each outcome. `superseded` has two: see `classifyEvidence`. */
const DOORS: Readonly<Record<Exclude<Outcome, "superseded">, EvidenceKind>> = {
  success: "ok",
  server_error: "hard",
  timeout: "hard",
  network: "hard",
  stream_interrupted: "hard",
  overloaded: "weak",
  rate_limit: "limited",
  auth: "credential",
  quota_exhausted: "credential",
  model_unavailable: "held",
  invalid_request: "none",
  context_length_exceeded: "none",
  content_filter: "none",
  cancelled: "none",
  local: "none",
};

/**
 * What each kind adds to the trip statistic: the logarithm of the likelihood ratio of a
 * sick deployment (half of the attempts fail) to a healthy one (2 % fail):
 * ln(.5/.02) = 3.22 and ln(.5/.98) = −0.67; half a failure for weak evidence.
 */
export const TRIP_WEIGHTS: Readonly<Record<EvidenceKind, number>> = {
  ok: -0.67,
  hard: 3.22,
  weak: 1.6,
  limited: 0,
  credential: 0,
  held: 0,
  none: 0,
};

/** How many failures each kind counts as in the success posterior. */
export const FAILURE_WEIGHTS: Readonly<Record<EvidenceKind, number>> = {
  ok: 0,
  hard: 1,
  weak: 0.5,
  limited: 0,
  credential: 0,
  held: 0,
  none: 0,
};

/** How long a deployment is set aside when the provider does not have or grant its model. */
export const HOLD_MS = 600_000;

/**
 * The door of an ended attempt. A superseded attempt without a first token is weak
 * evidence when it is older than the time to its first token was estimated to be:
 * it was hedged away because it was late. Otherwise it lost a fair race and says nothing.
 *
 * @param ageMs from dispatch to the end
 * @param expectedMs the estimate of the time to the first token at dispatch
 * @param hadFirstToken whether any delta came
 */
export function classifyEvidence(
  outcome: Outcome,
  ageMs: number,
  expectedMs: number,
  hadFirstToken: boolean,
): EvidenceKind {
  if (outcome !== "superseded") return DOORS[outcome];
  return !hadFirstToken && ageMs > expectedMs ? "weak" : "none";
}

/**
 * What the end of an attempt still adds whose silence has counted as weak evidence, so
 * that each attempt counts once: a failure its other half, anything milder nothing. A
 * success takes the silence back besides; that is for whoever keeps the evidence.
 */
export function completeSilence(kind: EvidenceKind): EvidenceKind {
  if (kind === "hard") return "weak";
  return kind === "weak" ? "none" : kind;
}
