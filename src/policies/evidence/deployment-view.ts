import type { BreakerPhase, CandidateView } from "../../core/choice/candidate-view.ts";
import { computeHealthScore } from "../../core/evidence/health-score.ts";
import type { Deployment, Model } from "../../domain/deployment.ts";
import type { BreakerState } from "../../domain/metrics.ts";
import type { Breaker } from "../breaker.ts";

/**
 * What is believed of a deployment now: what a choice looks at, and what reports say
 * beside it. No number is NaN; only `lastSampleAgeMs` may be infinite.
 */
export interface DeploymentView extends CandidateView {
  /** The mean of ln of the time to the first token in ms, without what the prompt costs. */
  readonly ttftLogMean: number;
  /** What each token of the prompt adds to the time to the first token. */
  readonly promptMsPerToken: number;
  /** Whether the attempt that verifies a suspicion is under way, or waits for this replica's turn. */
  readonly verifying: boolean;
  /** Whether that attempt is one of the replicas' probes, made in turn. */
  readonly takesTurns: boolean;
  readonly breakerState: BreakerState;
  /** Whether the breaker would give a permit at once; `permitAvailable` looks at suspicion and forced probes too. */
  readonly breakerAvailable: boolean;
  /** For people and reports, 0 to 1; never an input of a choice. */
  readonly healthScore: number;
}

/** The view that a deployment's evidence writes into: one for its whole life, so that reading allocates nothing. */
export class MutableDeploymentView implements DeploymentView {
  readonly deployment: Deployment;
  readonly model: Model;
  /** Whether a caller may use it is not for evidence to say. */
  readonly permitted = true;
  successMean = 1;
  successDeviation = 0;
  ttftLogMean = 0;
  ttftLogDeviation = 0;
  ttftMeanMs = 0;
  promptMsPerToken = 0;
  tpotMs = 0;
  inFlightCount = 0;
  headroomRatio = 1;
  cooldownUntilMs = 0;
  credentialDisabledUntilMs = 0;
  isUsedUp = false;
  heldUntilMs = 0;
  suspect = false;
  verifying = false;
  takesTurns = false;
  breakerState: BreakerState = "closed";
  breakerAvailable = true;
  breaker: BreakerPhase = "closed";
  openUntilMs = 0;
  permitAvailable = true;
  rampRatio = 1;
  promptTokenRatio = 1;
  lastSampleAgeMs = Number.POSITIVE_INFINITY;
  /** Pseudo-counts of successes and failures, and the ordinary time to the first token: for the score. */
  alpha = 1;
  beta = 1;
  referenceMs = 1;
  #healthScore: number | undefined;

  constructor(deployment: Deployment, model: Model) {
    this.deployment = deployment;
    this.model = model;
  }

  /** Worked out when somebody asks: a choice never does. */
  get healthScore(): number {
    this.#healthScore ??= computeHealthScore({
      alpha: this.alpha,
      beta: this.beta,
      expectedMs: this.ttftMeanMs,
      referenceMs: this.referenceMs,
      admittedRatio: this.rampRatio,
    });
    return this.#healthScore;
  }

  /** Takes over the state of the breaker. */
  readBreaker(breaker: Breaker, state: BreakerState): void {
    this.breakerState = state;
    this.rampRatio = breaker.admittedRatio;
    this.breaker = state === "closed" && this.rampRatio < 1 ? "ramping" : state;
    this.openUntilMs = breaker.probeFromMs;
    this.breakerAvailable = breaker.available;
    this.permitAvailable = breaker.earlyAvailable && !this.verifying;
  }

  /** What the score is made of has changed. */
  forgetHealthScore(): void {
    this.#healthScore = undefined;
  }
}
