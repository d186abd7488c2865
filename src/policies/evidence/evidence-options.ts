import type { LatencyPrior } from "../../core/evidence/latency-estimate.ts";
import type { QuotaLimits } from "../../core/evidence/quota.ts";
import type { Deployment, Model } from "../../domain/deployment.ts";
import type { Breaker } from "../breaker.ts";
import type { ProviderState } from "./provider-state.ts";
import type { TokenState } from "./token-state.ts";

/** What is believed of a deployment's speed before it is measured. */
export interface SpeedPrior {
  /** Time to the first token, without what the prompt costs. */
  readonly timeToFirstToken: LatencyPrior;
  /** Time per token after the first. */
  readonly timePerToken: LatencyPrior;
}

/** A deployment with its model and breaker; `DeploymentEntry` is one. */
export interface EvidenceSubject {
  readonly deployment: Deployment;
  readonly model: Model;
  readonly breaker: Breaker;
}

export interface EvidenceOptions {
  /** This replica among those it shares evidence with; empty where it shares with none. */
  readonly replicaId?: string;
  /** False: nothing is learnt about success and speed (seed 000's `performance_tracking`); breakers, cooldowns and limits still work. */
  readonly performanceTracking: boolean;
  /** Without it every deployment starts from `ORDINARY_SPEED`. */
  readonly speedOf?: (deployment: Deployment) => SpeedPrior;
  /** Without it no limits are known but those that providers tell. */
  readonly limitsOf?: (deployment: Deployment) => QuotaLimits;
  /** How much a replica's evidence about health counts: 1 in the same zone, 0.3 elsewhere. Without it, 1. */
  readonly weightOfReplica?: (replicaId: string) => number;
}

/** One second to the first token, then 67 tokens per second; give or take a factor of two. */
export const ORDINARY_SPEED: SpeedPrior = {
  timeToFirstToken: { medianMs: 1_000, logDeviation: 0.5 },
  timePerToken: { medianMs: 15, logDeviation: 0.5 },
};

/** What a deployment has in common with others: its provider's credential, and its model's tokenizer. */
export interface SharedEvidence {
  readonly provider: ProviderState;
  readonly tokens: TokenState;
  /** Replicas that are alive, this one included. */
  readonly countReplicas: (nowMs: number) => number;
}
