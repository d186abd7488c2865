/** What the demo saw: the calls of each deployment, its breaker, and the moments that count. */

import type { DeploymentMetrics, MetricsSnapshot } from "../../../gen/sluice/v1/metrics_pb.ts";
import { BreakerState } from "../../../gen/sluice/v1/metrics_pb.ts";

/** One deployment at one moment. */
export interface DeploymentSight {
  readonly provider: string;
  readonly breakerState: BreakerState;
  readonly healthScore: number;
  /** Attempts that began in the last second. */
  readonly recentCallCount: number;
}

/** Something that happened, in words. */
export interface DemoEvent {
  /** Since the start of the traffic. */
  readonly atMs: number;
  readonly text: string;
}

/** Over which time calls are shown as a rate. */
const RATE_WINDOW_MS = 1_000;

interface Sight {
  readonly atMs: number;
  readonly deployments: readonly DeploymentMetrics[];
}

/** Reads snapshots as they come and writes down the life of one provider that is stopped and started again. */
export class DemoRecord {
  readonly events: DemoEvent[] = [];
  readonly #victim: string;
  #sights: Sight[] = [];
  #stoppedMs: number | undefined;
  #startedMs: number | undefined;
  #detectedMs: number | undefined;
  #returnedMs: number | undefined;
  #callsAtDetection = 0;
  #callsAtStart: number | undefined;

  /** `victim`: the name of the provider that is stopped. */
  constructor(victim: string) {
    this.#victim = victim;
  }

  /** From the stop to the opening of the breaker. Undefined until then. */
  get detectionMs(): number | undefined {
    return this.#detectedMs === undefined ? undefined : this.#detectedMs - (this.#stoppedMs ?? 0);
  }

  /** From the new start to the closing of the breaker. Undefined until then. */
  get returnMs(): number | undefined {
    return this.#returnedMs === undefined ? undefined : this.#returnedMs - (this.#startedMs ?? 0);
  }

  /** Calls that began at the stopped provider after the breaker had opened: its probes. */
  get callsAfterDetectionCount(): number {
    const last = this.#callsAtStart ?? this.#victimCalls();
    return this.#detectedMs === undefined ? 0 : last - this.#callsAtDetection;
  }

  /** Each deployment as last seen. */
  get deployments(): readonly DeploymentSight[] {
    const last = this.#sights.at(-1);
    const first = this.#sights[0];
    return (last?.deployments ?? []).map((now, index) => ({
      provider: now.provider,
      breakerState: now.breakerState,
      healthScore: now.healthScore,
      recentCallCount: countCalls(now) - countCalls(first?.deployments[index]),
    }));
  }

  /** The provider is stopped now. */
  noteStop(atMs: number): void {
    this.#stoppedMs = atMs;
    this.events.push({ atMs, text: `${this.#victim} is stopped` });
  }

  /** The provider answers again. */
  noteStart(atMs: number): void {
    this.#startedMs = atMs;
    this.#callsAtStart = this.#victimCalls();
    this.events.push({ atMs, text: `${this.#victim} is started again` });
  }

  /** Takes what the server reports. */
  take(snapshot: MetricsSnapshot, atMs: number): void {
    const before = this.#sights.at(-1);
    const deployments = snapshot.models.flatMap((model) => model.deployments);
    this.#sights = [
      ...this.#sights.filter((sight) => atMs - sight.atMs <= RATE_WINDOW_MS),
      { atMs, deployments },
    ];
    for (const [index, now] of deployments.entries()) {
      const state = before?.deployments[index]?.breakerState ?? BreakerState.CLOSED;
      if (now.breakerState !== state) this.#noteBreaker(now, atMs);
    }
  }

  #noteBreaker({ provider, breakerState }: DeploymentMetrics, atMs: number): void {
    const isVictim = provider === this.#victim;
    if (breakerState === BreakerState.OPEN) {
      this.events.push({ atMs, text: `the breaker of ${provider} opens` });
      if (isVictim && this.#stoppedMs !== undefined && this.#detectedMs === undefined) {
        this.#detectedMs = atMs;
        this.#callsAtDetection = this.#victimCalls();
      }
    } else if (breakerState === BreakerState.HALF_OPEN) {
      this.events.push({ atMs, text: `a probe goes to ${provider}` });
    } else {
      this.events.push({ atMs, text: `the breaker of ${provider} closes` });
      if (isVictim && this.#startedMs !== undefined) this.#returnedMs ??= atMs;
    }
  }

  #victimCalls(): number {
    const last = this.#sights.at(-1);
    return countCalls(last?.deployments.find(({ provider }) => provider === this.#victim));
  }
}

function countCalls(deployment: DeploymentMetrics | undefined): number {
  return Number(deployment?.attempts?.startedCount ?? 0);
}
