import type { CandidateSet, CandidateTier } from "../../core/candidate-set.ts";
import { resolveTarget, type TargetResolution } from "../../core/candidates/resolve-target.ts";
import { findTarget, listTargets, type TargetCatalog } from "../../core/candidates/target-catalog.ts";
import { explainUnknownTarget } from "../../core/candidates/target-failure.ts";
import type { CandidateView } from "../../core/choice/candidate-view.ts";
import type { Deployment } from "../../domain/deployment.ts";
import type { Clock } from "../../domain/ports.ts";
import type { Target } from "../../domain/request.ts";
import type { BreakerPreset } from "../../domain/targets.ts";
import { Breaker } from "../breaker.ts";
import type { DeploymentTable } from "../deployment-table.ts";
import type { EvidenceTable } from "../evidence/evidence-table.ts";
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

/** Resolves targets once and keeps what decisions over them need. Callers' names cannot make it grow. */
export class CandidateSource {
  readonly #catalog: TargetCatalog;
  readonly #clock: Clock;
  readonly #deployments: DeploymentTable;
  readonly #evidence: EvidenceTable;
  readonly #tierLimits: TierLimits;
  readonly #sets = new Map<string, LiveSet>();

  constructor(
    catalog: TargetCatalog,
    clock: Clock,
    deployments: DeploymentTable,
    evidence: EvidenceTable,
    maxWaitingAttempts: number,
  ) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#deployments = deployments;
    this.#evidence = evidence;
    this.#tierLimits = new TierLimits(clock, maxWaitingAttempts);
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
    if (known !== undefined && this.#isOfKind(target, name)) return { kind: "resolved", live: known };
    if (!this.#isOfKind(target, name)) {
      return { kind: "failed", failure: explainUnknownTarget(name, this.#catalog) };
    }
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
      for (const view of views) this.#refreshView(view, live, nowMs, false);
    }
    if (!anyFull) return live.views;
    return live.views.map((views, index) => (live.limits[index]?.admits === false ? NO_VIEWS : views));
  }

  /** Brings all views of a set up to date as if no concurrency limit were reached. */
  refreshIgnoringPlaces(live: LiveSet): void {
    const nowMs = this.#clock.nowMs();
    for (const view of live.views.flat()) this.#refreshView(view, live, nowMs, true);
  }

  /** The breaker that guards a deployment in a set. */
  breakerOf(live: LiveSet, deployment: Deployment): Breaker {
    return live.breakers.get(deployment.id) ?? this.#deployments.entry(deployment).breaker;
  }

  /** Every name that a request may aim at. */
  listNames(): readonly string[] {
    return listTargets(this.#catalog).map(({ name }) => name);
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
  #isOfKind(target: Target, name: string): boolean {
    const found = findTarget(name, this.#catalog);
    if (target.kind === "model") return found?.kind === "model";
    if (target.kind === "automatic" || target.as === undefined) return true;
    return found?.kind === target.as || (found?.kind === "echelon" && target.as === "group");
  }

  #open(set: CandidateSet): LiveSet {
    const views = set.tiers.map(({ deployments }) =>
      deployments.map((deployment) => new LiveView(deployment, this.#deployments.entry(deployment).model)),
    );
    return {
      set,
      views,
      breakers: this.#openBreakers(set),
      limits: set.tiers.map((tier) => this.#tierLimits.find(tier)),
    };
  }

  #openBreakers({ breaker, tiers }: CandidateSet): ReadonlyMap<string, Breaker> {
    if (breaker === undefined) return new Map();
    const deployments = tiers.flatMap((tier) => tier.deployments);
    return new Map(deployments.map(({ id }) => [id, makeBreaker(this.#clock, breaker)]));
  }

  #refreshView(view: LiveView, live: LiveSet, nowMs: number, ignoresPlaces: boolean): void {
    const evidence = this.#evidence.view(view.deployment, nowMs);
    const { limit } = this.#deployments.entry(view.deployment);
    view.readEvidence(evidence, nowMs, !ignoresPlaces && !limit.hasRoom);
    view.readBreaker(this.breakerOf(live, view.deployment), nowMs, evidence.verifying);
  }
}

function makeBreaker(clock: Clock, preset: BreakerPreset): Breaker {
  return new Breaker(clock, preset, () => {});
}
