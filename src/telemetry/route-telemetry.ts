/** What ended attempts, requests and breaker transitions leave in logs and metrics. */

import type { AttemptRecord } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { RouteError } from "../domain/errors.ts";
import type { BreakerState } from "../domain/metrics.ts";
import type { Logger } from "../domain/ports.ts";
import type { PrometheusMetrics } from "./prometheus.ts";

/** Writes a line per failed attempt and per transition, and counts everything. */
export class RouteTelemetry {
  readonly #logger: Logger;
  readonly #metrics: PrometheusMetrics;

  constructor(logger: Logger, metrics: PrometheusMetrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Counts an ended attempt; a failed one is also logged, since its request may still succeed. */
  onAttemptEnd(record: AttemptRecord, requestId: string): void {
    this.#metrics.recordAttempt(record);
    const { deployment, outcome } = record;
    const fields = {
      requestId,
      attemptNumber: record.attemptNumber,
      deployment: deployment.id,
      provider: deployment.provider,
      model: deployment.model,
      outcome,
      durationMs: record.totalMs,
      ...(record.httpStatus === undefined ? {} : { httpStatus: record.httpStatus }),
      ...(record.providerCode === undefined ? {} : { providerCode: record.providerCode }),
    };
    if (outcome === "success" || outcome === "cancelled") this.#logger.debug("attempt ended", fields);
    else this.#logger.warn(describeFailed(record), fields);
  }

  /** Counts an ended request. */
  onRequestEnd(requestId: string, attempts: readonly AttemptRecord[], error: RouteError | undefined): void {
    this.#metrics.recordRequest(error);
    if (error === undefined) return;
    this.#logger.debug("request failed", { requestId, reason: error.reason, attemptCount: attempts.length });
  }

  /** Logs a transition of a breaker. */
  onBreakerChange(deployment: Deployment, breakerState: BreakerState): void {
    const fields = { deployment: deployment.id, provider: deployment.provider, breakerState };
    if (breakerState === "open") this.#logger.warn("circuit breaker opened", fields);
    else this.#logger.info(`circuit breaker is ${breakerState.replace("_", "-")}`, fields);
  }
}

/** Zhipu's code for no credit, which also comes for a coding plan's key at the ordinary address and the reverse. */
const NO_CREDIT = "1113";

function describeFailed({ outcome, providerCode }: AttemptRecord): string {
  if (outcome === "model_unavailable") {
    return "attempt failed: the provider does not have or grant this model; the deployment is set aside for ten minutes";
  }
  if (outcome === "quota_exhausted" && providerCode === NO_CREDIT) {
    return "attempt failed: no credit at Zhipu, or the key and the base_url are of different plans: a coding plan's key works at …/api/coding/paas/v4 only, any other key at …/api/paas/v4";
  }
  return "attempt failed";
}
