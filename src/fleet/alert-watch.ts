import { TimeRing } from "../core/evidence/time-ring.ts";
import { judgeOutcome } from "../core/failure-policy.ts";
import type { AlertRules } from "../domain/alert-rules.ts";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { RouteError } from "../domain/errors.ts";
import type { Cleanup, Clock } from "../domain/ports.ts";

export type AlertKind = "success_ratio" | "latency" | "error_ratio" | "fallback_ratio";

/** A figure that has crossed its threshold, or has come back. */
export interface RaisedAlert {
  readonly kind: AlertKind;
  /** Empty where the figure is of all requests. */
  readonly model: string;
  /** A share, or milliseconds. */
  readonly value: number;
  readonly threshold: number;
  readonly sampleCount: number;
  readonly resolved: boolean;
}

/** How often figures are looked at, and how wide the buckets are at most that they are added up in. */
const CHECK_MS = 5_000;
/** A window has so many buckets at least, and the one that has just begun. */
const MIN_BUCKET_COUNT = 12;

/** The fields of a model's ring, and of the ring of all requests. */
const ENDED = 0;
const SUCCEEDED = 1;
const FIRST_TOKENS = 2;
const FIRST_TOKEN_MS = 3;
const REQUESTS = 0;
const FAILED = 1;
const FALLBACKS = 2;

/** Watches figures of the last minutes against the operator's thresholds. Memory does not grow with traffic. */
export class AlertWatch {
  readonly #clock: Clock;
  readonly #rules: AlertRules;
  readonly #onAlert: (alert: RaisedAlert) => void;
  readonly #models: ReadonlyMap<string, TimeRing>;
  readonly #requests: TimeRing;
  readonly #bucketCount: number;
  /** By when the figure has come back, as far as it stayed there. */
  readonly #raised = new Map<string, number | undefined>();
  #stopTimer: Cleanup = () => {};

  constructor(
    rules: AlertRules,
    modelNames: readonly string[],
    clock: Clock,
    onAlert: (alert: RaisedAlert) => void,
  ) {
    this.#rules = rules;
    this.#clock = clock;
    this.#onAlert = onAlert;
    const bucketMs = Math.min(CHECK_MS, Math.ceil(rules.windowMs / MIN_BUCKET_COUNT));
    this.#bucketCount = Math.ceil(rules.windowMs / bucketMs) + 1;
    const makeRing = () => new TimeRing(bucketMs, this.#bucketCount, 4);
    this.#models = new Map(modelNames.map((name) => [name, makeRing()]));
    this.#requests = makeRing();
    this.#arm();
  }

  /** Counts an ended attempt; what the caller did or we did ourselves says nothing. */
  recordAttempt({ deployment, outcome, timeToFirstTokenMs }: AttemptRecord): void {
    const ring = this.#models.get(deployment.model);
    const verdict = judgeOutcome(outcome);
    if (ring === undefined || verdict === "ignore") return;
    const nowMs = this.#clock.nowMs();
    ring.add(nowMs, ENDED, 1);
    if (verdict !== "success") return;
    ring.add(nowMs, SUCCEEDED, 1);
    if (timeToFirstTokenMs === undefined) return;
    ring.add(nowMs, FIRST_TOKENS, 1);
    ring.add(nowMs, FIRST_TOKEN_MS, timeToFirstTokenMs);
  }

  /** Counts an ended request, unless its caller left. */
  recordRequest(attempts: readonly AttemptRecord[], error: RouteError | undefined): void {
    if (error?.reason === "CANCELLED") return;
    const nowMs = this.#clock.nowMs();
    this.#requests.add(nowMs, REQUESTS, 1);
    if (error !== undefined) this.#requests.add(nowMs, FAILED, 1);
    else if (attempts.some(({ purpose }) => purpose === "fallback")) this.#requests.add(nowMs, FALLBACKS, 1);
  }

  close(): void {
    this.#stopTimer();
  }

  #arm(): void {
    this.#stopTimer = this.#clock.timer(CHECK_MS, () => {
      this.#check();
      this.#arm();
    });
  }

  #check(): void {
    const { minSuccessRatio, maxFirstTokenMs, maxErrorRatio, maxFallbackRatio } = this.#rules;
    const nowMs = this.#clock.nowMs();
    for (const [model, ring] of this.#models) {
      const sum = (field: number) => ring.sum(nowMs, this.#bucketCount, field);
      this.#judge(nowMs, "success_ratio", model, sum(SUCCEEDED), sum(ENDED), minSuccessRatio, true);
      this.#judge(nowMs, "latency", model, sum(FIRST_TOKEN_MS), sum(FIRST_TOKENS), maxFirstTokenMs, false);
    }
    const sum = (field: number) => this.#requests.sum(nowMs, this.#bucketCount, field);
    this.#judge(nowMs, "error_ratio", "", sum(FAILED), sum(REQUESTS), maxErrorRatio, false);
    this.#judge(nowMs, "fallback_ratio", "", sum(FALLBACKS), sum(REQUESTS), maxFallbackRatio, false);
  }

  #judge(
    nowMs: number,
    kind: AlertKind,
    model: string,
    total: number,
    sampleCount: number,
    threshold: number | undefined,
    isFloor: boolean,
  ): void {
    if (threshold === undefined || sampleCount < this.#rules.minSampleCount) return;
    const value = total / sampleCount;
    const isBad = isFloor ? value < threshold : value > threshold;
    if (!this.#changes(`${kind} ${model}`, isBad, nowMs)) return;
    this.#onAlert({ kind, model, value, threshold, sampleCount, resolved: !isBad });
  }

  /** Whether that is to be told. It is over when the figure has been good for a whole window, so that one at its threshold is told of once and not each time. */
  #changes(key: string, isBad: boolean, nowMs: number): boolean {
    const isRaised = this.#raised.has(key);
    if (isBad) {
      this.#raised.set(key, undefined);
      return !isRaised;
    }
    if (!isRaised) return false;
    const goodSinceMs = this.#raised.get(key) ?? nowMs;
    const isOver = nowMs - goodSinceMs >= this.#rules.windowMs;
    if (isOver) this.#raised.delete(key);
    else this.#raised.set(key, goodSinceMs);
    return isOver;
  }
}
