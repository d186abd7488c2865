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

/** How often figures are looked at, and how wide the buckets are that they are added up in. */
const CHECK_MS = 5_000;

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
  readonly #raised = new Set<string>();
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
    this.#bucketCount = Math.max(Math.ceil(rules.windowMs / CHECK_MS), 1);
    const makeRing = () => new TimeRing(CHECK_MS, this.#bucketCount + 1, 4);
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
      this.#judge("success_ratio", model, sum(SUCCEEDED), sum(ENDED), minSuccessRatio, true);
      this.#judge("latency", model, sum(FIRST_TOKEN_MS), sum(FIRST_TOKENS), maxFirstTokenMs, false);
    }
    const sum = (field: number) => this.#requests.sum(nowMs, this.#bucketCount, field);
    this.#judge("error_ratio", "", sum(FAILED), sum(REQUESTS), maxErrorRatio, false);
    this.#judge("fallback_ratio", "", sum(FALLBACKS), sum(REQUESTS), maxFallbackRatio, false);
  }

  #judge(
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
    const key = `${kind} ${model}`;
    if (isBad === this.#raised.has(key)) return;
    if (isBad) this.#raised.add(key);
    else this.#raised.delete(key);
    this.#onAlert({ kind, model, value, threshold, sampleCount, resolved: !isBad });
  }
}
