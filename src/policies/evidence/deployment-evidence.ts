import { BucketSeries, type SeriesValue } from "../../core/evidence/bucket-series.ts";
import type { MergeResult, MinuteCounts } from "../../core/evidence/fleet-evidence.ts";
import { promptCostMs } from "../../core/evidence/latency-estimate.ts";
import {
  classifyEvidence,
  completeSilence,
  type EvidenceKind,
  HOLD_MS,
} from "../../core/evidence/outcome-door.ts";
import type { PeerBreaker } from "../../core/evidence/peer-breaker.ts";
import { NEWS_FIELD_COUNT } from "../../core/evidence/peer-evidence.ts";
import type { QuotaHeaders } from "../../core/evidence/quota.ts";
import type { ReplicaEvidence } from "../../core/evidence/replica-evidence.ts";
import type { DeploymentRegisters as RegisterValues } from "../../core/evidence/replica-registers.ts";
import { computeBetaDeviation, SuccessPosterior } from "../../core/evidence/success-posterior.ts";
import type { AttemptRecord } from "../../domain/attempt.ts";
import type { BreakerState } from "../../domain/metrics.ts";
import type { Random } from "../../domain/ports.ts";
import type { Breaker, BreakerFacts, BreakerPermit } from "../breaker.ts";
import type { QuotaPace } from "../quota-queue.ts";
import { describeFailure, VERDICTS } from "./breaker-report.ts";
import { type DeploymentView, MutableDeploymentView } from "./deployment-view.ts";
import {
  type EvidenceOptions,
  type EvidenceSubject,
  ORDINARY_SPEED,
  type SharedEvidence,
} from "./evidence-options.ts";
import { FailureEvidence } from "./failure-evidence.ts";
import { LimitEvidence } from "./limit-evidence.ts";
import { ProbeTurns } from "./probe-turns.ts";
import type { ProviderState } from "./provider-state.ts";
import { SpeedEvidence } from "./speed-evidence.ts";
import type { AttemptSize, StartedAttempt } from "./started-attempt.ts";
import type { TokenState } from "./token-state.ts";

export type { AttemptSize, StartedAttempt } from "./started-attempt.ts";

/** How old a view may be. */
const MAX_VIEW_AGE_MS = 100;
/** What the provider's other deployments having tripped takes off the probability of success. */
const COUPLED_SUCCESS_RATIO = 0.9;
/** A success this recent speaks for a deployment whatever happened to its provider's others. */
const FRESH_SUCCESS_MS = 1_000;
const SUMMARY_WINDOW_MS = 60_000;

/** All evidence about one deployment, and the view that follows from it. Its methods are those of `EvidenceTable`. */
export class DeploymentEvidence {
  readonly #breaker: Breaker;
  readonly #provider: ProviderState;
  readonly #tokens: TokenState;
  readonly #windowTokens: number;
  readonly #weightOf: (replicaId: string) => number;
  readonly #tracking: boolean;
  readonly #counters = new BucketSeries();
  readonly #failures: FailureEvidence;
  readonly #turns: ProbeTurns;
  readonly #speed: SpeedEvidence;
  readonly #limits: LimitEvidence;
  readonly #view: MutableDeploymentView;
  readonly #news = new Float64Array(NEWS_FIELD_COUNT);
  #success = new SuccessPosterior();
  #heldUntilMs = 0;
  #inFlightCount = 0;
  #lastSuccessMs: number | undefined;
  #breakerState: BreakerState = "closed";
  #breakerEpoch = 0;
  #failureFacts: BreakerFacts = {};
  #closedMs = 0;
  /** When the view was last written; undefined when something has changed since. */
  #refreshedMs: number | undefined;

  constructor(
    { deployment, model, breaker }: EvidenceSubject,
    { provider, tokens, countReplicas }: SharedEvidence,
    random: Random,
    options: EvidenceOptions,
    weightOf: (replicaId: string) => number,
  ) {
    this.#breaker = breaker;
    this.#provider = provider;
    this.#tokens = tokens;
    this.#windowTokens = model.capabilities.contextWindowTokens;
    this.#weightOf = weightOf;
    this.#tracking = options.performanceTracking;
    this.#failures = new FailureEvidence(weightOf);
    this.#turns = new ProbeTurns(breaker, this.#failures.fleet, weightOf, random);
    this.#speed = new SpeedEvidence(options.speedOf?.(deployment) ?? ORDINARY_SPEED);
    this.#limits = new LimitEvidence(deployment, options, countReplicas, random);
    this.#view = new MutableDeploymentView(deployment, model);
  }

  get inFlightCount(): number {
    return this.#inFlightCount;
  }

  recordStart(nowMs: number, { promptTokens, expectedOutputTokens }: AttemptSize): StartedAttempt {
    const { suspect, ttftMeanMs, headroomRatio } = this.view(nowMs);
    const reservation = this.#limits.quota.reserve(nowMs, promptTokens + expectedOutputTokens);
    this.#inFlightCount += 1;
    this.#counters.record(nowMs, "started", 1);
    this.#counters.record(nowMs, "reservedTokens", Math.round(promptTokens + expectedOutputTokens));
    if (suspect) this.#failures.beginVerification(nowMs);
    this.#refreshedMs = undefined;
    const expectedMs = ttftMeanMs + promptCostMs(promptTokens);
    const overdrawn = headroomRatio <= 0;
    return { promptTokens, expectedMs, reservation, overdrawn, verifies: suspect, silent: false };
  }

  recordSilence(nowMs: number, started: StartedAttempt, ageMs: number, permit?: BreakerPermit): number {
    const suspectMs = this.#speed.suspectAgeMs(nowMs, started.promptTokens);
    // The estimate has grown since the attempt began: it is not late yet.
    if (suspectMs > ageMs) return suspectMs;
    this.#followBreaker(nowMs);
    // While the breaker is not closed the end of a probe decides, and nothing else.
    if (started.silent || this.#breakerState !== "closed" || permit?.isCurrent() === false) return Infinity;
    started.silent = true;
    this.#count(nowMs, "weak");
    if (this.#tracking) this.#speed.learnSilence(nowMs, ageMs, started.promptTokens);
    // The silence of a verification proves nothing yet: nobody else is sent there until it has ended.
    this.#failureFacts = { hung: true };
    this.#judge(nowMs, false);
    this.#refreshedMs = undefined;
    return Infinity;
  }

  suspectAgeMs(nowMs: number, promptTokens: number): number {
    return this.#speed.suspectAgeMs(nowMs, promptTokens);
  }

  recordEnd(nowMs: number, started: StartedAttempt, record: AttemptRecord, permit?: BreakerPermit): void {
    const hadFirstToken = record.timeToFirstTokenMs !== undefined;
    const kind = classifyEvidence(record.outcome, record.totalMs, started.expectedMs, hadFirstToken);
    const isFailure = kind === "hard" || kind === "weak";
    const facts = describeFailure(record, isFailure ? this.#failures.failureRatio(nowMs) : 1);
    if (isFailure) this.#failureFacts = facts;
    const current = permit === undefined || permit.settle(VERDICTS[kind], facts);
    this.#followBreaker(nowMs);
    this.#inFlightCount = Math.max(this.#inFlightCount - 1, 0);
    this.#settleTokens(nowMs, started, record);
    this.#tokens.learn(record, started.promptTokens, this.#windowTokens);
    this.#heedPushback(nowMs, kind, started, record);
    const proves = started.verifies && this.#failures.endVerification(nowMs, kind);
    if (current && (kind === "ok" || kind === "hard" || kind === "weak")) {
      this.#learn(nowMs, kind, started, record);
      if (isFailure) this.#judge(nowMs, proves);
    }
    this.#refreshedMs = undefined;
  }

  readHeaders(nowMs: number, headers: QuotaHeaders): void {
    this.#limits.readHeaders(nowMs, headers);
    this.#refreshedMs = undefined;
  }

  merge(nowMs: number, evidence: ReplicaEvidence, liveCount: number): MergeResult {
    const { replicaId } = evidence;
    const before = this.#failures.fleet.breakerOf(replicaId, nowMs);
    const news = this.#news.fill(0);
    const result = this.#failures.merge(evidence, nowMs, news);
    if (result !== "merged") return result;
    const [requestCount = 0, tokens = 0, refusalCount = 0] = news;
    const refuted = this.#failures.fleet.isRefuted(replicaId, nowMs);
    // Our own reservations are corrected when an attempt ends, so the others' are too.
    const usedTokens = tokens > 0 ? tokens * this.#failures.fleet.usedTokenRatio(replicaId, nowMs) : 0;
    this.#limits.quota.spendElsewhere(nowMs, replicaId, requestCount, usedTokens, liveCount, refuted);
    // The limit is the fleet's: what refused another replica would refuse this one.
    if (refusalCount > 0 && !refuted && this.#weightOf(replicaId) > 0)
      this.#limits.noteRefusalElsewhere(nowMs);
    const after = this.#failures.fleet.breakerOf(replicaId, nowMs);
    if (before !== undefined && after !== undefined) this.#turns.follow(before, after, liveCount);
    if (this.#failures.confirmsMost(nowMs)) this.#judge(nowMs, true);
    this.#refreshedMs = undefined;
    return result;
  }

  mergeRegisters(nowMs: number, values: RegisterValues): void {
    this.#limits.mergeRegisters(nowMs, values);
    this.#refreshedMs = undefined;
  }

  report(fineCount?: number, coarseCount?: number): SeriesValue {
    return this.#counters.toValue(fineCount, coarseCount);
  }

  reportRegisters(nowMs: number): RegisterValues {
    return this.#limits.reportRegisters(nowMs);
  }

  reportBreaker(nowMs: number): PeerBreaker {
    this.#followBreaker(nowMs);
    return {
      state: this.#breakerState,
      epoch: this.#breakerEpoch,
      closedMs: this.#closedMs,
      probeDelayMs: this.#breakerState === "open" ? Math.round(this.#breaker.nextProbeDelayMs) : 0,
    };
  }

  /** Makes replicas probe in turns: `listOthers` names the others that are alive. */
  shareProbes(replicaId: string, listOthers: () => readonly string[], wallMs: () => number): void {
    this.#turns.share({ replicaId, deploymentId: this.#view.deployment.id, listOthers, wallMs });
  }

  forgetReplica(replicaId: string): void {
    this.#failures.forgetReplica(replicaId);
    this.#refreshedMs = undefined;
  }

  listKnownSeries(): readonly { readonly key: string; readonly series: SeriesValue }[] {
    return this.#failures.fleet.toValue();
  }

  describePeers(nowMs: number) {
    return this.#failures.fleet.describePeers(nowMs);
  }

  /** Whether a replica's circuit breaker is closed where ours is not, or the other way round. */
  disagreesWith(replicaId: string, nowMs: number): boolean {
    const theirs = this.#failures.fleet.breakerOf(replicaId, nowMs);
    return theirs !== undefined && (theirs.state === "closed") !== (this.#breakerState === "closed");
  }

  refutedCount(replicaId: string): number {
    return this.#failures.fleet.refutedCount(replicaId);
  }

  /** What a queue at its limits goes by. */
  get pace(): QuotaPace {
    return this.#limits.quota;
  }

  setQuotaShare(ratio: number): void {
    this.#limits.quota.setShare(ratio);
    this.#refreshedMs = undefined;
  }

  /** What a replica, or this one when undefined, has seen of it in the last minute. */
  summarize(replicaId: string | undefined, nowMs: number): MinuteCounts {
    if (replicaId !== undefined) return this.#failures.summarizePeer(replicaId, nowMs);
    const failedCount = this.#counters.sum(nowMs, SUMMARY_WINDOW_MS, "hard");
    return { endedCount: failedCount + this.#counters.sum(nowMs, SUMMARY_WINDOW_MS, "ok"), failedCount };
  }

  firstTokenQuantileMs(nowMs: number, ratio: number, promptTokens: number): number {
    return this.#speed.firstTokenQuantileMs(nowMs, ratio, promptTokens);
  }

  view(nowMs: number): DeploymentView {
    this.#followBreaker(nowMs);
    const ageMs = this.#refreshedMs === undefined ? Number.NaN : nowMs - this.#refreshedMs;
    if (!(ageMs >= 0 && ageMs <= MAX_VIEW_AGE_MS)) {
      this.#refreshedMs = nowMs;
      this.#refresh(nowMs);
    }
    // A credential is its provider's: another deployment may just have learnt of its refusal.
    this.#view.credentialDisabledUntilMs = this.#provider.credentialDisabledUntilMs;
    this.#view.isUsedUp = this.#provider.isUsedUp;
    this.#view.promptTokenRatio = this.#tokens.ratio;
    // While it is not closed a permit may come free at any moment, without an event here.
    if (this.#breakerState !== "closed") this.#view.readBreaker(this.#breaker, this.#breakerState);
    return this.#view;
  }

  reset(nowMs: number): void {
    this.#success = new SuccessPosterior();
    this.#speed.reset();
    this.#failures.forgetOwn();
    this.#limits.endCooldown(nowMs);
    this.#heldUntilMs = 0;
    this.#lastSuccessMs = undefined;
    this.#breaker.reset();
    this.#breakerState = "closed";
    this.#closedMs = nowMs;
    this.#provider.enableCredential(nowMs);
    this.#refreshedMs = undefined;
  }

  #settleTokens(nowMs: number, { reservation }: StartedAttempt, { usage }: AttemptRecord): void {
    if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return;
    const tokens = (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
    this.#limits.quota.settle(nowMs, reservation, tokens);
    this.#counters.record(nowMs, "settledTokens", Math.round(tokens));
  }

  hold(nowMs: number): void {
    this.#heldUntilMs = nowMs + HOLD_MS;
    this.#refreshedMs = undefined;
  }

  /** What the provider asks for is heeded whenever it says so, and changes nothing about health. */
  #heedPushback(
    nowMs: number,
    kind: EvidenceKind,
    { overdrawn }: StartedAttempt,
    { outcome, retryAfterMs }: AttemptRecord,
  ): void {
    if (kind === "limited") {
      // What was refused though it was within the limits is what the others must know of.
      if (!overdrawn) this.#counters.record(nowMs, "limited", 1);
      this.#limits.noteRefusal(nowMs, overdrawn, retryAfterMs);
    } else if (kind === "credential") {
      this.#provider.disableCredential(nowMs, outcome === "quota_exhausted");
    } else if (kind === "held") {
      this.hold(nowMs);
    }
  }

  #learn(nowMs: number, kind: "ok" | "hard" | "weak", started: StartedAttempt, record: AttemptRecord): void {
    if (!started.silent) this.#count(nowMs, kind);
    else if (kind === "ok") this.#takeSilenceBack(nowMs);
    else this.#count(nowMs, completeSilence(kind));
    if (kind === "ok") {
      this.#lastSuccessMs = nowMs;
      this.#limits.noteAnswer(nowMs - record.totalMs, started.overdrawn);
      // What has just answered with the provider's credential proves that it works.
      this.#provider.enableCredential(nowMs);
    }
    if (!this.#tracking || (started.silent && kind === "weak")) return;
    this.#speed.learn(nowMs, kind, record, started.promptTokens);
  }

  #count(nowMs: number, kind: EvidenceKind): void {
    if (kind === "ok" || kind === "hard" || kind === "weak") this.#counters.record(nowMs, kind, 1);
    this.#failures.record(nowMs, kind);
    if (this.#tracking) this.#success.record(nowMs, kind);
  }

  /** It was answered after all. The counters for other replicas only grow: there it stays half a failure. */
  #takeSilenceBack(nowMs: number): void {
    this.#failures.answerLate(nowMs);
    if (this.#tracking) this.#success.answerLate(nowMs);
  }

  /** After a failure; `proves`: of a verification that proves the other replicas right. */
  #judge(nowMs: number, proves: boolean): void {
    const whole = { ...this.#failureFacts, failureRatio: this.#failures.failureRatio(nowMs) };
    if (proves || this.#failures.confirmsMost(nowMs)) this.#breaker.trip(whole);
    else this.#breaker.assess(this.#failures.statistic(nowMs), whole, this.#isCoupled(nowMs));
    this.#followBreaker(nowMs);
  }

  #followBreaker(nowMs: number): void {
    const before = this.#breakerState;
    const { state } = this.#breaker;
    if (state === before) return;
    this.#breakerState = state;
    if (state === "open") this.#breakerEpoch += 1;
    this.#refreshedMs = undefined;
    if (before === "closed") {
      this.#success.freeze(nowMs);
      this.#provider.noteTrip(this.#view.deployment.id, nowMs);
      this.#turns.join(nowMs);
    } else if (state === "closed") {
      this.#closedMs = nowMs;
      this.#success.restart(nowMs);
      this.#failures.forgetOwn();
    }
  }

  #isCoupled(nowMs: number): boolean {
    const isFresh = this.#lastSuccessMs !== undefined && nowMs - this.#lastSuccessMs <= FRESH_SUCCESS_MS;
    return !isFresh && this.#provider.isCoupled(nowMs);
  }

  #refresh(nowMs: number): void {
    const view = this.#view;
    view.suspect = this.#failures.isSuspect(nowMs, this.#breakerState === "closed");
    const answered = this.#lastSuccessMs !== undefined || this.#closedMs > 0;
    const believes = view.suspect && this.#turns.believes(nowMs, answered);
    view.takesTurns = believes || (view.suspect && this.#turns.takesTurns(nowMs));
    const isDue = believes ? this.#turns.isDue(nowMs) : !view.takesTurns || this.#turns.isOurTurn;
    view.verifying = view.suspect && (!isDue || this.#failures.isVerifying(nowMs));
    this.#refreshSuccess(nowMs);
    this.#speed.writeTo(view, nowMs);
    view.headroomRatio = this.#limits.quota.headroomRatio(nowMs);
    view.cooldownUntilMs = this.#limits.cooldownUntilMs;
    view.heldUntilMs = this.#heldUntilMs;
    const elsewhereCount = this.#failures.inFlightElsewhereCount(nowMs, this.#inFlightCount);
    view.inFlightCount = this.#inFlightCount + elsewhereCount;
    this.#view.readBreaker(this.#breaker, this.#breakerState);
    view.forgetHealthScore();
  }

  #refreshSuccess(nowMs: number): void {
    const view = this.#view;
    view.alpha = this.#success.alpha(nowMs);
    view.beta = this.#success.beta(nowMs);
    // A suspect's one attempt must be made, so the word of those that speak against it does not keep it away.
    if (this.#tracking && !view.suspect) {
      const { successes, failures } = this.#failures.readAdvice(nowMs);
      view.alpha += successes;
      view.beta += failures;
    }
    const coupling = this.#tracking && this.#isCoupled(nowMs) ? COUPLED_SUCCESS_RATIO : 1;
    view.successMean = (view.alpha / (view.alpha + view.beta)) * coupling;
    view.successDeviation = computeBetaDeviation(view.alpha, view.beta);
  }
}
