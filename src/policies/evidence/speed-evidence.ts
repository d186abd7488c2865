import {
  computePaceMs,
  LatencyEstimate,
  PROMPT_MS_PER_TOKEN,
  promptCostMs,
  subtractPromptMs,
} from "../../core/evidence/latency-estimate.ts";
import { LatencySeries } from "../../core/evidence/latency-series.ts";
import type { EvidenceKind } from "../../core/evidence/outcome-door.ts";
import { computeSuspectAgeMs } from "../../core/evidence/suspect-age.ts";
import type { AttemptRecord } from "../../domain/attempt.ts";
import type { MutableDeploymentView } from "./deployment-view.ts";
import type { SpeedPrior } from "./evidence-options.ts";

/** Fewer samples than this are no distribution: the estimate answers instead. */
const MIN_PERCENTILE_SAMPLES = 20;

/** What is known of a deployment's speed. */
export class SpeedEvidence {
  readonly #prior: SpeedPrior;
  readonly #referenceMs: number;
  readonly #firstTokens = new LatencySeries();
  #timeToFirstToken: LatencyEstimate;
  #timePerToken: LatencyEstimate;

  constructor(prior: SpeedPrior) {
    this.#prior = prior;
    this.#timeToFirstToken = new LatencyEstimate(prior.timeToFirstToken);
    this.#timePerToken = new LatencyEstimate(prior.timePerToken);
    this.#referenceMs = this.#timeToFirstToken.meanMs(0);
  }

  /**
   * Learns from an attempt that was answered, or from one that was hedged away and
   * was later than estimated; from no other, because an error's speed says nothing.
   */
  learn(nowMs: number, kind: EvidenceKind, record: AttemptRecord, assumedPromptTokens: number): void {
    const promptTokens = record.usage?.inputTokens ?? assumedPromptTokens;
    const { timeToFirstTokenMs, totalMs, outcome } = record;
    if (kind === "ok" && timeToFirstTokenMs !== undefined) {
      const firstTokenMs = subtractPromptMs(timeToFirstTokenMs, promptTokens);
      this.#timeToFirstToken.record(nowMs, firstTokenMs);
      this.#firstTokens.record(nowMs, firstTokenMs);
      const paceMs = computePaceMs(totalMs, timeToFirstTokenMs, record.usage?.outputTokens);
      if (paceMs !== undefined) this.#timePerToken.record(nowMs, paceMs);
    } else if (kind === "weak" && outcome === "superseded") {
      this.learnSilence(nowMs, totalMs, promptTokens);
    }
  }

  /** Learns that a first token takes longer than `ageMs`. */
  learnSilence(nowMs: number, ageMs: number, promptTokens: number): void {
    this.#timeToFirstToken.recordCensored(nowMs, subtractPromptMs(ageMs, promptTokens));
  }

  /** From which age on the silence of an attempt with such a prompt is evidence. */
  suspectAgeMs(nowMs: number, promptTokens: number): number {
    const estimate = this.#timeToFirstToken;
    const promptMs = promptCostMs(promptTokens);
    return computeSuspectAgeMs(estimate.logMean(nowMs), estimate.logDeviation(nowMs), promptMs);
  }

  /** The time to the first token that a share of `ratio` (0 to 1) of attempts with such a prompt does not exceed. */
  firstTokenQuantileMs(nowMs: number, ratio: number, promptTokens: number): number {
    const measuredMs =
      this.#firstTokens.sampleCount(nowMs) >= MIN_PERCENTILE_SAMPLES
        ? this.#firstTokens.percentileMs(nowMs, ratio)
        : undefined;
    return (measuredMs ?? this.#timeToFirstToken.quantileMs(nowMs, ratio)) + promptCostMs(promptTokens);
  }

  /** Writes what is believed now into the view. */
  writeTo(view: MutableDeploymentView, nowMs: number): void {
    view.ttftLogMean = this.#timeToFirstToken.logMean(nowMs);
    view.ttftLogDeviation = this.#timeToFirstToken.logDeviation(nowMs);
    view.ttftMeanMs = Math.exp(view.ttftLogMean + view.ttftLogDeviation ** 2 / 2);
    view.promptMsPerToken = PROMPT_MS_PER_TOKEN;
    view.tpotMs = this.#timePerToken.meanMs(nowMs);
    view.referenceMs = this.#referenceMs;
    view.lastSampleAgeMs = this.#timeToFirstToken.lastSampleAgeMs(nowMs) ?? Number.POSITIVE_INFINITY;
  }

  /** Goes back to the prior. */
  reset(): void {
    this.#timeToFirstToken = new LatencyEstimate(this.#prior.timeToFirstToken);
    this.#timePerToken = new LatencyEstimate(this.#prior.timePerToken);
    this.#firstTokens.clear();
  }
}
