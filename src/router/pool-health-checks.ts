/** Asks pool instances without traffic for one token, on the pool's interval (seeds 001 and 003). */

import type { Deployment } from "../domain/deployment.ts";
import type { Cleanup, Clock, Random } from "../domain/ports.ts";
import type { GenerationRequest } from "../domain/request.ts";
import type { Pool } from "../domain/targets.ts";
import type { CandidateSource, LiveSet } from "../policies/candidates/candidate-source.ts";
import type { GenerationRouter } from "./generation-router.ts";
import type { RouteHandle } from "./route.ts";

/** The share of the interval by which checks are spread, so that replicas do not check together. */
const JITTER_RATIO = 0.2;
/** How long a check may take. */
const CHECK_TIMEOUT_MS = 30_000;

const QUESTION: GenerationRequest = {
  messages: [{ role: "user", parts: [{ kind: "text", text: "ping" }] }],
  target: { kind: "automatic" },
  priority: "speed",
  requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
  sampling: { maxOutputTokens: 1 },
  tools: [],
};

/** Runs the checks of all pools that want them, until closed. A check is an ordinary attempt: it counts as evidence. */
export class PoolHealthChecks {
  readonly #router: GenerationRouter;
  readonly #source: CandidateSource;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timers = new Map<string, Cleanup>();
  readonly #running = new Map<string, RouteHandle>();

  constructor(
    router: GenerationRouter,
    source: CandidateSource,
    pools: readonly Pool[],
    clock: Clock,
    random: Random,
  ) {
    this.#router = router;
    this.#source = source;
    this.#clock = clock;
    this.#random = random;
    for (const pool of pools) {
      if (pool.healthCheckIntervalMs !== undefined) this.#schedule(pool, pool.healthCheckIntervalMs);
    }
  }

  /** Stops all checks and cuts those under way. */
  close(): void {
    for (const stop of this.#timers.values()) stop();
    for (const handle of [...this.#running.values()]) handle.cancel("shutdown");
  }

  #schedule(pool: Pool, intervalMs: number): void {
    const delayMs = intervalMs * (1 + JITTER_RATIO * (this.#random.next() - 0.5));
    const stop = this.#clock.timer(delayMs, () => {
      this.#schedule(pool, intervalMs);
      this.#check(pool, intervalMs);
    });
    this.#timers.set(pool.name, stop);
  }

  #check(pool: Pool, intervalMs: number): void {
    const resolved = this.#source.resolve({ kind: "named", name: pool.name, as: "pool" });
    if (resolved.kind === "failed") return;
    const { live } = resolved;
    this.#source.refresh(live);
    for (const view of live.views.flat()) {
      const { id } = view.deployment;
      if (view.lastSampleAgeMs >= intervalMs && !this.#running.has(id)) this.#ask(live, view.deployment);
    }
  }

  /** One attempt through the pool, so that the pool's own breakers and statistics hear of it. */
  #ask(live: LiveSet, deployment: Deployment): void {
    const nowMs = this.#clock.nowMs();
    const forget = () => this.#running.delete(deployment.id);
    let isOver = false;
    const end = () => {
      isOver = true;
      forget();
    };
    const handle = this.#router.check(live, deployment, QUESTION, nowMs + CHECK_TIMEOUT_MS, end);
    if (!isOver) this.#running.set(deployment.id, handle);
  }
}
