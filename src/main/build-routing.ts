/** Builds everything that routes: evidence, choice, candidate sets, router and what reports on them. */

import { randomUUID } from "node:crypto";
import type { Config } from "../config/config.ts";
import { listDeployments } from "../core/candidates/list-deployments.ts";
import { listTargets, type TargetCatalog } from "../core/candidates/target-catalog.ts";
import { type ChoiceSettings, DEFAULT_CHOICE_SETTINGS } from "../core/choice/choice-settings.ts";
import { buildQualityTable } from "../core/choice/quality-table.ts";
import { keywordClassifier } from "../core/tasks/classify-task.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { Clock, Provider, Random } from "../domain/ports.ts";
import { CandidateSource } from "../policies/candidates/candidate-source.ts";
import { DeploymentTable } from "../policies/deployment-table.ts";
import { EvidenceTable } from "../policies/evidence/evidence-table.ts";
import { speedOfTier } from "../policies/evidence/speed-of-tier.ts";
import { QuotaQueues } from "../policies/quota-queues.ts";
import { RequestTally } from "../policies/request-tally.ts";
import { Incumbents } from "../policies/rotation/incumbents.ts";
import { RotationKeeper } from "../policies/rotation/rotation-keeper.ts";
import { ScopeStatistics } from "../policies/scope-statistics.ts";
import { Decider } from "../router/decider.ts";
import { GenerationRouter } from "../router/generation-router.ts";
import { PoolHealthChecks } from "../router/pool-health-checks.ts";
import { ReplicaMetrics } from "../router/replica-metrics.ts";
import { type ResetParts, resetPerformance } from "../router/reset-performance.ts";
import { RouteAdvisor } from "../router/route-advisor.ts";
import type { RouterParts } from "../router/router-parts.ts";
import { type RouteObserver, Settlement } from "../router/settle.ts";
import type { Operations } from "../service/admin-methods.ts";

/** What routing needs from outside. */
export interface RoutingPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly providers: ReadonlyMap<string, Provider>;
  /** This replica among those it shares evidence with; undefined where it shares with none. */
  readonly replicaId?: string | undefined;
}

/** Everything that routes. */
export interface Routing {
  readonly router: GenerationRouter;
  readonly advisor: RouteAdvisor;
  readonly metrics: ReplicaMetrics;
  readonly deployments: DeploymentTable;
  /** What is known of every deployment; other replicas' evidence is joined into it. */
  readonly evidence: EvidenceTable;
  /** The catalog's, in its order. */
  readonly modelNames: readonly string[];
  readonly operations: Operations;
  /** Keeps a deployment out of use for ten minutes, as if its provider had said that it has no such model. */
  setAside(deployment: Deployment): void;
  /** Sets who learns of ended attempts and requests, for logs and metrics. */
  observe(observer: RouteObserver): void;
  /** Stops health checks and releases what breakers hold. */
  close(): void;
}

/** The parts of a configuration that routing reads. */
export type RoutingInput = Pick<Config, "models" | "providers" | "targets" | "routing" | "deploymentLimits">;

/** Builds the parts. `newAttemptId`: never the same twice; a simulation gives its own, so that a seed repeats everything. */
export function buildRouting(
  config: RoutingInput,
  ports: RoutingPorts,
  newAttemptId: () => string = randomUUID,
): Routing {
  const { clock, random, providers, replicaId } = ports;
  const { models, routing, targets } = config;
  const catalog: TargetCatalog = { models, providers: config.providers.map(({ name }) => name), targets };
  const all = models.flatMap((model) => model.deployments);
  const deployments = new DeploymentTable(models, clock, { ...routing, random });
  const subjects = all.map((deployment) => deployments.entry(deployment));
  const evidence = new EvidenceTable(subjects, clock, random, {
    ...(replicaId === undefined ? {} : { replicaId }),
    performanceTracking: routing.performanceTracking,
    speedOf: (deployment) => speedOfTier(deployments.entry(deployment).model.tiers.speed),
    limitsOf: ({ id }) => config.deploymentLimits.get(id) ?? {},
  });
  const { maxWaitingAttempts } = routing;
  const quotaQueues = new QuotaQueues(all, { clock, random, evidence, maxWaitingAttempts });
  const requests = new RequestTally();
  const scopes = new ScopeStatistics(listScopes(catalog));
  const metrics = new ReplicaMetrics({
    clock,
    deployments,
    evidence,
    quotaQueues,
    requests,
    scopes,
    replicaId: replicaId ?? randomUUID(),
  });
  const rotation = new RotationKeeper({ pools: targets.pools, deployments: all });
  const source = new CandidateSource(
    { catalog, clock, random, deployments, evidence, quotaQueues },
    maxWaitingAttempts,
  );
  const quality = buildQualityTable(models);
  const decider = new Decider({
    clock,
    random,
    source,
    quality,
    rotation,
    incumbents: new Incumbents(),
    classifier: keywordClassifier,
    settings: readChoiceSettings(routing.weights),
  });
  const settlement = new Settlement({ clock, deployments, evidence, requests, rotation, scopes });
  const parts: RouterParts = {
    clock,
    random,
    deployments,
    evidence,
    providers,
    settlement,
    newAttemptId,
    source,
    quotaQueues,
    decider,
    quality,
    requests,
    options: {
      ...routing,
      retryOf: (provider) => routing.providerRetry.get(provider) ?? routing.retry,
      strategy: targets.defaults.strategy,
    },
  };
  const router = new GenerationRouter(parts);
  const checks = new PoolHealthChecks(router, source, targets.pools, clock, random);
  const resetParts: ResetParts = { source, deployments, evidence, scopes };
  return {
    router,
    advisor: new RouteAdvisor(parts),
    metrics,
    deployments,
    setAside: (deployment) => evidence.setAside(deployment),
    evidence,
    modelNames: models.map(({ name }) => name),
    observe: (observer) => settlement.observe(observer),
    operations: { resetPerformance: (name) => resetPerformance(resetParts, name) },
    close() {
      checks.close();
      source.close();
      deployments.close();
      quotaQueues.close();
    },
  };
}

function readChoiceSettings(weights: RoutingInput["routing"]["weights"]): ChoiceSettings {
  const named = Object.entries(weights).map(([priority, { quality, latency, cost }]) => [
    priority,
    { quality, speed: latency, cost },
  ]);
  return { ...DEFAULT_CHOICE_SETTINGS, weights: Object.fromEntries(named) as ChoiceSettings["weights"] };
}

/** The deployments of every scope, in the order of the configuration. */
function listScopes(catalog: TargetCatalog): ReadonlyMap<string, ReadonlySet<string>> {
  const members = new Map<string, ReadonlySet<string>>();
  for (const { name, kind } of listTargets(catalog)) {
    if (kind === "reserved" || kind === "alias") continue;
    const listed = listDeployments(name, catalog, []);
    if (listed.kind === "listed")
      members.set(`${kind} ${name}`, new Set(listed.deployments.map(({ id }) => id)));
  }
  return members;
}
