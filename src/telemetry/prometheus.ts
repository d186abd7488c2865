/** Metrics for Prometheus. The only file that imports prom-client. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AttemptRecord } from "../domain/attempt.ts";
import type { RouteError } from "../domain/errors.ts";
import { ALONE, type FleetMetrics, REFUSAL_REASONS } from "../domain/fleet-metrics.ts";
import { BUS_DROP_REASONS } from "../domain/health-bus.ts";
import type { BreakerState, DeploymentMetrics, MetricsSource } from "../domain/metrics.ts";
import type { Usage } from "../domain/usage.ts";

/**
 * Upper bounds in seconds: those of the OpenTelemetry GenAI conventions, 0.01 doubling
 * to 81.92, and three more because thinking models take longer.
 */
const DURATION_BUCKETS = Array.from({ length: 17 }, (_, index) => 0.01 * 2 ** index);

const ATTEMPT_LABELS = ["gen_ai_provider_name", "gen_ai_request_model", "deployment", "model"] as const;

const BREAKER_STATES: readonly BreakerState[] = ["closed", "open", "half_open"];

/** The text of a scrape and its media type. */
export interface Scrape {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * Counts attempts and requests as they end, and reads the rest at each scrape. Names
 * of attempt metrics follow the OpenTelemetry GenAI conventions for clients
 * (semantic-conventions-genai), written as Prometheus wants them. Labels come from the
 * configuration and from closed sets only, so the number of series is bounded.
 */
export class PrometheusMetrics implements Scrape {
  readonly #registry = new Registry();
  readonly #duration: Histogram<string>;
  readonly #timeToFirstToken: Histogram<string>;
  readonly #tokens: Counter<string>;
  readonly #cost: Counter<string>;
  readonly #costCny: Counter<string>;
  readonly #requests: Counter<string>;
  readonly #attempts: Counter<string>;

  constructor(source: MetricsSource) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#duration = new Histogram({
      name: "gen_ai_client_operation_duration_seconds",
      help: "Duration of attempts at providers.",
      labelNames: [...ATTEMPT_LABELS, "error_type"],
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#timeToFirstToken = new Histogram({
      name: "gen_ai_client_operation_time_to_first_chunk_seconds",
      help: "From dispatch of an attempt to its first delta.",
      labelNames: ATTEMPT_LABELS,
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#tokens = new Counter({
      name: "sluice_tokens_total",
      help: "Tokens that providers reported.",
      labelNames: [...ATTEMPT_LABELS, "gen_ai_token_type"],
      registers,
    });
    this.#cost = new Counter({
      name: "sluice_cost_usd_total",
      help: "Known cost of attempts in US dollars.",
      labelNames: ATTEMPT_LABELS,
      registers,
    });
    this.#costCny = new Counter({
      name: "sluice_cost_cny_total",
      help: "Known cost of attempts in yuan, at deployments whose price list is in yuan.",
      labelNames: ATTEMPT_LABELS,
      registers,
    });
    this.#requests = new Counter({
      name: "sluice_requests_total",
      help: "Requests that ended, by the reason of docs/errors.md, or OK.",
      labelNames: ["reason"],
      registers,
    });
    this.#attempts = new Counter({
      name: "sluice_attempts_total",
      help: "Attempts that ended, by why they were made and how they ended.",
      labelNames: ["deployment", "purpose", "outcome"],
      registers,
    });
    registerStateGauges(source, registers);
    registerEvidenceGauges(source, registers);
    registerFleetGauges(source, registers);
    registerBusDrops(source, registers);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts an ended attempt. */
  recordAttempt(record: AttemptRecord): void {
    const { deployment, outcome, purpose } = record;
    this.#attempts.inc({ deployment: deployment.id, purpose, outcome });
    const labels = {
      gen_ai_provider_name: deployment.provider,
      gen_ai_request_model: deployment.upstreamModel,
      deployment: deployment.id,
      model: deployment.model,
    };
    const errorType = outcome === "success" ? "" : outcome;
    this.#duration.observe({ ...labels, error_type: errorType }, record.totalMs / 1_000);
    if (record.timeToFirstTokenMs !== undefined) {
      this.#timeToFirstToken.observe(labels, record.timeToFirstTokenMs / 1_000);
    }
    if (record.usage !== undefined) this.#recordUsage(labels, record.usage);
  }

  /** Counts an ended request; `error` is undefined for a success. */
  recordRequest(error: RouteError | undefined): void {
    this.#requests.inc({ reason: error?.reason ?? "OK" });
  }

  #recordUsage(labels: Record<string, string>, usage: Usage): void {
    const { inputTokens, outputTokens, costNanoUsd, costNanoCny } = usage;
    if (inputTokens !== undefined) this.#tokens.inc({ ...labels, gen_ai_token_type: "input" }, inputTokens);
    if (outputTokens !== undefined) {
      this.#tokens.inc({ ...labels, gen_ai_token_type: "output" }, outputTokens);
    }
    if (costNanoUsd !== undefined) this.#cost.inc(labels, costNanoUsd / 1e9);
    if (costNanoCny !== undefined) this.#costCny.inc(labels, costNanoCny / 1e9);
  }
}

function registerStateGauges(source: MetricsSource, registers: Registry[]): void {
  new Gauge({
    name: "sluice_requests_in_flight",
    help: "Requests under way.",
    registers,
    collect() {
      this.set(source.snapshot([]).requests.inFlightCount);
    },
  });
  new Gauge({
    name: "sluice_attempts_in_flight",
    help: "Attempts under way.",
    labelNames: ["deployment"],
    registers,
    collect() {
      for (const { deployment, attempts } of listDeployments(source)) {
        this.set({ deployment: deployment.id }, attempts.inFlightCount);
      }
    },
  });
  new Gauge({
    name: "sluice_attempts_waiting",
    help: "Attempts that wait for a place at a deployment or for room in its limits; one that waits at several counts at each.",
    labelNames: ["deployment"],
    registers,
    collect() {
      for (const { deployment, waitingCount } of listDeployments(source)) {
        this.set({ deployment: deployment.id }, waitingCount);
      }
    },
  });
  new Gauge({
    name: "sluice_breaker_state",
    help: "1 for the state that a deployment's circuit breaker is in, 0 for the others.",
    labelNames: ["deployment", "state"],
    registers,
    collect() {
      for (const { deployment, breakerState } of listDeployments(source)) {
        for (const state of BREAKER_STATES) {
          this.set({ deployment: deployment.id, state }, state === breakerState ? 1 : 0);
        }
      }
    },
  });
}

/** What routing expects, as Metrics reports it. */
function registerEvidenceGauges(source: MetricsSource, registers: Registry[]): void {
  const readings: readonly [string, string, (metrics: DeploymentMetrics) => number][] = [
    [
      "sluice_health_score",
      "How healthy a deployment is, 0 bad to 1 good; routing does not read it.",
      ({ healthScore }) => healthScore,
    ],
    [
      "sluice_headroom_ratio",
      "The share of a deployment's limits that is free.",
      ({ evidence }) => evidence.headroomRatio,
    ],
    [
      "sluice_admitted_ratio",
      "The share of its ordinary traffic that a deployment is given.",
      ({ evidence }) => evidence.admittedRatio,
    ],
  ];
  for (const [name, help, read] of readings) {
    new Gauge({
      name,
      help,
      labelNames: ["deployment"],
      registers,
      collect() {
        for (const metrics of listDeployments(source)) {
          this.set({ deployment: metrics.deployment.id }, read(metrics));
        }
      },
    });
  }
}

/** What the other replicas tell. Their ids are no labels: they would not be bounded. */
function registerFleetGauges(source: MetricsSource, registers: Registry[]): void {
  const readings: readonly [string, string, (fleet: FleetMetrics) => number][] = [
    [
      "sluice_sharing_degraded",
      "1 while other replicas cannot be reached although they should be.",
      ({ state }) => (state === "cut_off" ? 1 : 0),
    ],
    [
      "sluice_peers_live",
      "Other replicas heard of in the last 5 seconds.",
      ({ replicas }) => replicas.filter(({ live }) => live).length,
    ],
    [
      "sluice_peers_muted",
      "Other replicas that are not listened to about health.",
      ({ replicas }) => replicas.filter(({ muted }) => muted).length,
    ],
    [
      "sluice_peer_age_seconds",
      "Since the last message of the live replica that was silent longest.",
      ({ replicas }) => Math.max(0, ...replicas.filter(({ live }) => live).map(({ ageMs }) => ageMs / 1_000)),
    ],
    [
      "sluice_peer_disagreements",
      "Deployments that this replica and another one judge differently, summed over the others.",
      ({ replicas }) => replicas.reduce((sum, { disagreementCount }) => sum + disagreementCount, 0),
    ],
    [
      "sluice_peer_messages_received",
      "Messages of other replicas taken in since the start.",
      ({ receivedCount }) => receivedCount,
    ],
    ["sluice_peer_messages_sent", "Messages of evidence sent since the start.", ({ sentCount }) => sentCount],
    [
      "sluice_peer_messages_dropped",
      "Messages and events that could not be sent or were left out under load, since the start.",
      ({ droppedCount }) => droppedCount,
    ],
    [
      "sluice_bus_connections",
      "Connections made to the bus since the start: the first, and each reconnection.",
      ({ bus }) => bus?.connectionCount ?? 0,
    ],
    [
      "sluice_bus_failures",
      "Attempts to connect to the bus that failed, and connections that ended, since the start.",
      ({ bus }) => bus?.failureCount ?? 0,
    ],
    [
      "sluice_bus_waiting_messages",
      "Messages that have arrived from the bus and wait to be handled.",
      ({ bus }) => bus?.waitingCount ?? 0,
    ],
    [
      "sluice_bus_unanswered_bytes",
      "Bytes sent of which the bus has not yet said that it has them.",
      ({ bus }) => bus?.unansweredBytes ?? 0,
    ],
  ];
  for (const [name, help, read] of readings) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(source.snapshot([], "fleet").fleet ?? ALONE));
      },
    });
  }
  new Gauge({
    name: "sluice_peer_messages_refused",
    help: "Messages of other replicas that were not heeded since the start, by why.",
    labelNames: ["reason"],
    registers,
    collect() {
      const { refusedCounts } = source.snapshot([], "fleet").fleet ?? ALONE;
      for (const reason of REFUSAL_REASONS) this.set({ reason }, refusedCounts.get(reason) ?? 0);
    },
  });
}

function registerBusDrops(source: MetricsSource, registers: Registry[]): void {
  new Gauge({
    name: "sluice_bus_messages_dropped",
    help: "Messages that the bus gave up since the start, by why.",
    labelNames: ["reason"],
    registers,
    collect() {
      const { bus } = source.snapshot([], "fleet").fleet ?? ALONE;
      for (const reason of BUS_DROP_REASONS) this.set({ reason }, bus?.droppedCounts.get(reason) ?? 0);
    },
  });
}

function listDeployments(source: MetricsSource) {
  return source.snapshot([]).models.flatMap((model) => model.deployments);
}
