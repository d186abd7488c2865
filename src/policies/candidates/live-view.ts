import type { BreakerPhase, CandidateView } from "../../core/choice/candidate-view.ts";
import type { Deployment, Model } from "../../domain/deployment.ts";
import type { Breaker } from "../breaker.ts";
import type { ConcurrencyLimit } from "../concurrency-limit.ts";
import type { DeploymentView } from "../evidence/deployment-view.ts";
import type { QuotaQueue } from "../quota-queue.ts";

/** Stands for a time of return that nobody knows: just after now, so that a wait for a place can begin. */
const NEXT_MOMENT_MS = 1;

/** What keeps attempts from a deployment in one set; looked up once, not at each decision. */
export interface LiveGuards {
  readonly limit: ConcurrencyLimit;
  readonly queue: QuotaQueue;
  readonly breaker: Breaker;
}

/** The choice's view of one deployment, written anew before each decision so that a decision allocates none. */
export class LiveView implements CandidateView {
  readonly deployment: Deployment;
  readonly model: Model;
  readonly guards: LiveGuards;
  readonly permitted = true;
  successMean = 1;
  successDeviation = 0;
  ttftMeanMs = 0;
  ttftLogDeviation = 0;
  tpotMs = 0;
  inFlightCount = 0;
  headroomRatio = 1;
  cooldownUntilMs = 0;
  credentialDisabledUntilMs = 0;
  isUsedUp = false;
  heldUntilMs = 0;
  breaker: BreakerPhase = "closed";
  openUntilMs = 0;
  permitAvailable = true;
  rampRatio = 1;
  promptTokenRatio = 1;
  suspect = false;
  lastSampleAgeMs = Number.POSITIVE_INFINITY;

  constructor(deployment: Deployment, model: Model, guards: LiveGuards) {
    this.deployment = deployment;
    this.model = model;
    this.guards = guards;
  }

  /** Takes over what the evidence says. `full`: at its concurrency limit, so no attempt can begin now. */
  readEvidence(view: DeploymentView, nowMs: number, full: boolean): void {
    this.successMean = view.successMean;
    this.successDeviation = view.successDeviation;
    this.ttftMeanMs = view.ttftMeanMs;
    this.ttftLogDeviation = view.ttftLogDeviation;
    this.tpotMs = view.tpotMs;
    this.inFlightCount = view.inFlightCount;
    this.headroomRatio = view.headroomRatio;
    this.cooldownUntilMs = view.cooldownUntilMs;
    this.credentialDisabledUntilMs = view.credentialDisabledUntilMs;
    this.isUsedUp = view.isUsedUp ?? false;
    this.heldUntilMs = full ? Math.max(view.heldUntilMs, nowMs + NEXT_MOMENT_MS) : view.heldUntilMs;
    this.suspect = view.suspect;
    this.promptTokenRatio = view.promptTokenRatio;
    this.lastSampleAgeMs = view.lastSampleAgeMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes over the state of the breaker that guards it here. `verifying`: a suspect's one attempt is under way. */
  readBreaker(breaker: Breaker, nowMs: number, verifying: boolean): void {
    const { state } = breaker;
    this.rampRatio = state === "closed" ? breaker.admittedRatio : 1;
    // A half-open one that may not be probed now, because another replica's turn it is, is as good as open.
    const isShut = state === "open" || (state === "half_open" && !breaker.available);
    this.breaker = isShut ? "open" : state === "closed" && this.rampRatio < 1 ? "ramping" : state;
    this.openUntilMs = isShut ? nowMs + breaker.nextProbeDelayMs : 0;
    if (state === "closed") this.permitAvailable = !(this.suspect && verifying);
    else this.permitAvailable = !isShut || breaker.earlyAvailable;
  }
}
