/**
 * Builds one replica of the shipped router out of the parts of `buildRouting`, in the
 * same way, and keeps hold of two that it does not give out: the evidence, which gossip
 * reads and feeds, and the chance of the breakers, which a seed must rule.
 */

import { DEFAULT_CHOICE_SETTINGS } from "../../src/core/choice/choice-settings.ts";
import { buildQualityTable } from "../../src/core/choice/quality-table.ts";
import { keywordClassifier } from "../../src/core/tasks/classify-task.ts";
import type { RoutingInput, RoutingPorts } from "../../src/main/build-routing.ts";
import { CandidateSource } from "../../src/policies/candidates/candidate-source.ts";
import { DeploymentTable } from "../../src/policies/deployment-table.ts";
import { EvidenceTable } from "../../src/policies/evidence/evidence-table.ts";
import { RequestTally } from "../../src/policies/request-tally.ts";
import { Incumbents } from "../../src/policies/rotation/incumbents.ts";
import { RotationKeeper } from "../../src/policies/rotation/rotation-keeper.ts";
import { ScopeStatistics } from "../../src/policies/scope-statistics.ts";
import { Decider } from "../../src/router/decider.ts";
import { GenerationRouter } from "../../src/router/generation-router.ts";
import { Settlement } from "../../src/router/settle.ts";

/** One replica's router, with its inside open. */
export interface ReplicaRouting {
  readonly router: GenerationRouter;
  readonly evidence: EvidenceTable;
  readonly deployments: DeploymentTable;
  readonly settlement: Settlement;
  close(): void;
}

/** Builds the parts. An empty `replicaId` shares with nobody. `newAttemptId` replaces random ids, so that a seed repeats everything. */
export function buildReplica(
  config: RoutingInput,
  { clock, random, providers }: RoutingPorts,
  newAttemptId: () => string,
  replicaId = "",
): ReplicaRouting {
  const { models, routing, targets } = config;
  const catalog = { models, providers: config.providers.map(({ name }) => name), targets };
  const all = models.flatMap((model) => model.deployments);
  const deployments = new DeploymentTable(models, clock, { ...routing, random });
  const subjects = all.map((deployment) => deployments.entry(deployment));
  const evidence = new EvidenceTable(subjects, clock, random, {
    replicaId,
    performanceTracking: routing.performanceTracking,
    limitsOf: ({ id }) => config.deploymentLimits.get(id) ?? {},
  });
  const requests = new RequestTally();
  const rotation = new RotationKeeper({ pools: targets.pools, deployments: all });
  const source = new CandidateSource(
    { catalog, clock, random, deployments, evidence },
    routing.maxWaitingAttempts,
  );
  const decider = new Decider({
    clock,
    random,
    source,
    quality: buildQualityTable(models),
    rotation,
    incumbents: new Incumbents(),
    classifier: keywordClassifier,
    settings: DEFAULT_CHOICE_SETTINGS,
  });
  const settlement = new Settlement({
    clock,
    deployments,
    evidence,
    requests,
    rotation,
    scopes: new ScopeStatistics(new Map()),
  });
  const router = new GenerationRouter({
    clock,
    random,
    deployments,
    evidence,
    providers,
    settlement,
    newAttemptId,
    source,
    decider,
    requests,
    options: {
      ...routing,
      retryOf: (provider) => routing.providerRetry.get(provider) ?? routing.retry,
      strategy: targets.defaults.strategy,
    },
  });
  return {
    router,
    evidence,
    deployments,
    settlement,
    close() {
      source.close();
      deployments.close();
    },
  };
}
