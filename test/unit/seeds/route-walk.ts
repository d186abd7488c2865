import type { CandidateSet } from "../../../src/core/candidate-set.ts";
import { resolveTarget } from "../../../src/core/candidates/resolve-target.ts";
import type { TargetCatalog } from "../../../src/core/candidates/target-catalog.ts";
import type { CandidateView } from "../../../src/core/choice/candidate-view.ts";
import { Chooser } from "../../../src/core/choice/choose.ts";
import type { AttemptHistory } from "../../../src/core/choice/hard-filters.ts";
import { RotationKeeper } from "../../../src/policies/rotation/rotation-keeper.ts";
import {
  type InputOptions,
  NOW_MS,
  sampleInput,
  sampleView,
  type ViewChanges,
} from "../core/choice/choice-bench.ts";

/** Walks choices through a target without a network: what would be tried, in order. */
export class RouteWalk {
  readonly set: CandidateSet;
  readonly rotation: RotationKeeper;
  views: readonly (readonly CandidateView[])[];
  nowMs = NOW_MS;
  readonly #chooser = new Chooser();
  readonly #options: InputOptions;

  constructor(catalog: TargetCatalog, target: string, options: InputOptions = {}) {
    const resolution = resolveTarget(target, catalog);
    if (resolution.kind === "failed") throw new Error(`${target}: ${resolution.failure.kind}`);
    this.set = resolution.set;
    this.#options = options;
    this.rotation = new RotationKeeper({
      pools: catalog.targets.pools,
      deployments: catalog.models.flatMap((model) => model.deployments),
    });
    this.views = this.set.tiers.map((tier) =>
      tier.deployments.map((deployment) => {
        const model = catalog.models.find((known) => known.name === deployment.model);
        if (model === undefined) throw new Error(deployment.model);
        return sampleView(model, {}, model.deployments.indexOf(deployment));
      }),
    );
  }

  /** Changes what is known of a model's deployments. */
  change(model: string, changes: ViewChanges): void {
    this.views = this.views.map((tier) =>
      tier.map((view) => (view.model.name === model ? { ...view, ...changes } : view)),
    );
  }

  idOf(model: string): string {
    return this.#viewOf(model).deployment.id;
  }

  providerOf(model: string): string {
    return this.#viewOf(model).deployment.provider;
  }

  /** The models of that many requests, each answered at the first attempt. */
  succeed(requestCount: number): readonly string[] {
    return Array.from({ length: requestCount }, () => this.#choose(undefined)?.view.model.name ?? "none");
  }

  /** The models of one request whose attempts all fail. */
  failAll(attemptCount: number): readonly string[] {
    const models: string[] = [];
    const tried = new Set<string>();
    let history: AttemptHistory | undefined;
    for (let attempt = 0; attempt < attemptCount; attempt++) {
      const chosen = this.#choose(history);
      if (chosen === undefined) break;
      const { view, tierIndex } = chosen;
      models.push(view.model.name);
      tried.add(view.deployment.id);
      history = {
        tried: new Set(tried),
        failed: view.deployment,
        failedContextTokens: view.model.capabilities.contextWindowTokens,
        scope: "any",
        tierIndex,
      };
    }
    return models;
  }

  #choose(history: AttemptHistory | undefined) {
    const input = {
      ...sampleInput(this.views, this.#options),
      set: this.set,
      rotation: this.rotation,
      nowMs: this.nowMs,
      history,
    };
    const decision = this.#chooser.choose(input);
    return decision.kind === "chosen" ? decision : undefined;
  }

  #viewOf(model: string): CandidateView {
    const view = this.views.flat().find((known) => known.model.name === model);
    if (view === undefined) throw new Error(model);
    return view;
  }
}
