import type { CandidateSet, CandidateTier } from "../../core/candidate-set.ts";
import { resolveTarget, type TargetResolution } from "../../core/candidates/resolve-target.ts";
import { findTarget, type TargetCatalog } from "../../core/candidates/target-catalog.ts";
import { explainUnknownTarget, type TargetFailure } from "../../core/candidates/target-failure.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { Deployment } from "../../domain/deployment.ts";
import type { Clock, Random } from "../../domain/ports.ts";
import type { Target } from "../../domain/request.ts";
import type { BreakerPreset } from "../../domain/targets.ts";
import { Breaker } from "../breaker.ts";
import type { DeploymentTable } from "../deployment-table.ts";
import type { EvidenceTable } from "../evidence/evidence-table.ts";
import type { QuotaQueues } from "../quota-queues.ts";
import { LiveView } from "./live-view.ts";
import { type TierLimit, TierLimits } from "./tier-limits.ts";

/** A resolved target with the views that decisions over it read. */
export interface LiveSet {
  readonly set: CandidateSet;
  /** For each tier its views; a tier at its own limit shows none of them until there is room. */
  readonly views: readonly (readonly LiveView[])[];
  /** For each deployment that is guarded by a breaker of the set's own. */
  readonly breakers: ReadonlyMap<string, Breaker>;
  readonly limits: readonly (TierLimit | undefined)[];
}

const NO_VIEWS: readonly CandidateView[] = [];

/** What candidates are made of. */
export interface CandidateParts {
  readonly catalog: TargetCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly deployments: DeploymentTable;
  readonly evidence: EvidenceTable;
  readonly quotaQueues: QuotaQueues;
}

/** Resolves targets once and keeps what decisions over them need. Callers' names cannot make it grow. */
export class CandidateSource {
  readonly #catalog: TargetCatalog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #deployments: DeploymentTable;
  readonly #evidence: EvidenceTable;
  readonly #quotaQueues: QuotaQueues;
  readonly #tierLimits: TierLimits;
  readonly #sets = new Map<string, LiveSet>();

  constructor(parts: CandidateParts, maxWaitingAttempts: number) {
    this.#catalog = parts.catalog;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#deployments = parts.deployments;
    this.#evidence = parts.evidence;
    this.#quotaQueues = parts.quotaQueues;
    this.#tierLimits = new TierLimits(parts.clock, maxWaitingAttempts);
  }

  get catalog(): TargetCatalog {
    return this.#catalog;
  }

  /** Resolves a request's target. */
  resolve(
    target: Target,
  ): { readonly kind: "resolved"; readonly live: LiveSet } | Extract<TargetResolution, { kind: "failed" }> {
    const name = this.#nameOf(target);
    const known = this.#sets.get(name);
    const mismatch = this.#findMismatch(target, name);
    if (mismatch !== undefined) return { kind: "failed", failure: mismatch };
    if (known !== undefined) return { kind: "resolved", live: known };
    const resolution = resolveTarget(name, this.#catalog);
    if (resolution.kind === "failed") return resolution;
    const live = this.#open(resolution.set);
    this.#sets.set(name, live);
    return { kind: "resolved", live };
  }

  /** A set of its own for deployments that somebody has chosen already. It is not kept. */
  openSet(target: string, deployments: readonly Deployment[], rotation: CandidateTier["rotation"]): LiveSet {
    return this.#open({
      target,
      tiers: [{ name: target, deployments, rotation, settings: {}, scopes: [] }],
      fallback: "spill",
      maxAttempts: undefined,
      retryDelayMs: 0,
      breaker: undefined,
      strategy: undefined,
      judges: [],
    });
  }

  /** Brings the views of a set up to date. Returns them by tier, none of a tier that is at its own limit. */
  refresh(live: LiveSet): readonly (readonly CandidateView[])[] {
    const nowMs = this.#clock.nowMs();
    let anyFull = false;
    for (const [tierIndex, views] of live.views.entries()) {
      if (live.limits[tierIndex]?.admits === false) {
        anyFull = true;
        continue;
      }
      for (const view of views) this.#refreshView(view, nowMs, false);
    }
    if (!anyFull) return live.views;
    return live.views.map((views, index) => (live.limits[index]?.admits === false ? NO_VIEWS : views));
  }

  /** Brings all views of a set up to date as if no concurrency limit were reached. */
  refreshIgnoringPlaces(live: LiveSet): void {
    const nowMs = this.#clock.nowMs();
    for (const view of live.views.flat()) this.#refreshView(view, nowMs, true);
  }

  /** The breaker that guards a deployment in a set. */
  breakerOf(live: LiveSet, deployment: Deployment): Breaker {
    return live.breakers.get(deployment.id) ?? this.#deployments.entry(deployment).breaker;
  }

  /** Closes the breakers that sets keep of their own for these deployments. */
  resetBreakers(deployments: readonly Deployment[]): void {
    for (const { breakers } of this.#sets.values()) {
      for (const { id } of deployments) breakers.get(id)?.reset();
    }
  }

  /** Releases what the breakers of sets hold. */
  close(): void {
    for (const { breakers } of this.#sets.values()) {
      for (const breaker of breakers.values()) breaker.close();
    }
  }

  #nameOf(target: Target): string {
    if (target.kind === "model") return target.model;
    if (target.kind === "named") return target.name;
    return this.#catalog.targets.defaults.target ?? "auto";
  }

  /** A typed target must be what it says, so that a group is not reached as a model. */
  #findMismatch(target: Target, name: string): TargetFailure | undefined {
    const asked = target.kind === "model" ? "model" : target.kind === "named" ? target.as : undefined;
    if (asked === undefined) return undefined;
    const found = findTarget(name, this.#catalog);
    if (found === undefined) return explainUnknownTarget(name, this.#catalog);
    const is = found.kind === "echelon" && asked === "group" ? "group" : found.kind;
    return is === asked ? undefined : { kind: "other_kind", name, is, asked };
  }

  #open(set: CandidateSet): LiveSet {
    const breakers = this.#openBreakers(set);
    const views = set.tiers.map(({ deployments }) =>
      deployments.map((deployment) => {
        const { model, limit, breaker: own } = this.#deployments.entry(deployment);
        const breaker = breakers.get(deployment.id) ?? own;
        return new LiveView(deployment, model, { limit, queue: this.#quotaQueues.of(deployment), breaker });
      }),
    );
    return {
      set,
      views,
      breakers,
      limits: set.tiers.map((tier) => this.#tierLimits.find(tier)),
    };
  }

  #openBreakers({ breaker, tiers }: CandidateSet): ReadonlyMap<string, Breaker> {
    if (breaker === undefined) return new Map();
    const deployments = tiers.flatMap((tier) => tier.deployments);
    return new Map(deployments.map(({ id }) => [id, makeBreaker(this.#clock, this.#random, breaker)]));
  }

  #refreshView(view: LiveView, nowMs: number, ignoresPlaces: boolean): void {
    const { limit, queue, breaker } = view.guards;
    const evidence = this.#evidence.view(view.deployment, nowMs);
    view.readEvidence(evidence, nowMs, !ignoresPlaces && !limit.hasRoom);
    // What comes free is for those who wait for it.
    if (queue.waitingCount > 0) view.headroomRatio = 0;
    view.readBreaker(breaker, nowMs, evidence.verifying);
  }
}

function makeBreaker(clock: Clock, random: Random, preset: BreakerPreset): Breaker {
  return new Breaker(clock, preset, () => {}, random);
}
