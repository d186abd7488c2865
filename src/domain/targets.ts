/** Named sets of models that a request may aim at, as the operator configured them. */

import type { TaskType } from "./deployment.ts";

/**
 * A reference to something a request may aim at: `auto`, the name of a model,
 * provider, group, pool, chain or alias, or `<group>.<echelon>`. All names share
 * one namespace, so a plain name is never ambiguous.
 */
export type TargetName = string;

/** In which order equal candidates are taken. `adaptive` is the router's own choice by evidence. */
export type Rotation = "adaptive" | "fixed" | "round_robin" | "least_recently_used" | "weighted";

/** When a breaker opens, for deployments used through what this is configured on. */
export type BreakerPreset =
  | { readonly kind: "adaptive" }
  | {
      readonly kind: "counting";
      /** Consecutive failures that open it, 1 or more. */
      readonly failureThreshold: number;
      readonly recoveryTimeMs: number;
      /** Attempts let through at once while half-open, 1 or more. */
      readonly halfOpenRequests: number;
    };

/** Limits and settings for attempts made through an echelon (seed 001). Unset means the ordinary ones. */
export interface EchelonSettings {
  readonly concurrencyLimit?: number;
  /** Requests per minute. */
  readonly rpmLimit?: number;
  /** The most time of one attempt. */
  readonly timeoutMs?: number;
  /** Retries of one attempt at the same deployment. */
  readonly maxRetries?: number;
  /** Used where the request names none. */
  readonly temperature?: number;
  /** Used where the request names none; a request's own larger figure is cut to it. */
  readonly maxOutputTokens?: number;
}

export interface Echelon {
  /** `echelon1`, `echelon2` … */
  readonly name: string;
  /** Lower is tried earlier (seed 001 numbers the first echelon 1). */
  readonly priority: number;
  /** Names of models, in order. */
  readonly models: readonly string[];
  readonly settings: EchelonSettings;
}

/** What a group does when an attempt failed (seed 001). */
export interface GroupFallback {
  /** `echelon_down`: the next echelon; `task_group_switch`: the groups of `targets`; `provider_failover`: other providers first. */
  readonly strategy: "echelon_down" | "task_group_switch" | "provider_failover";
  /** Groups or echelons to go on to, in order. May be empty for the other two strategies. */
  readonly targets: readonly TargetName[];
  /** The most attempts of a request through this group, 1 to 10. */
  readonly maxAttempts: number;
  /** Waited before each further attempt. */
  readonly retryDelayMs: number;
  readonly breaker: BreakerPreset | undefined;
}

/** A task group: echelons of models (seed 001). */
export interface Group {
  readonly name: string;
  readonly description: string;
  /** By priority; never empty. */
  readonly echelons: readonly Echelon[];
  /** The order within an echelon. */
  readonly rotation: Rotation;
  readonly fallback: GroupFallback;
}

/** A polling pool: equal instances taken in turn (seeds 001 and 004). */
export interface Pool {
  readonly name: string;
  readonly description: string;
  /** Groups whose deployments are the pool's instances; models may be named too. */
  readonly members: readonly TargetName[];
  readonly rotation: Rotation;
  /** By deployment id or model name; 1 where absent. Only for `weighted`. */
  readonly weights: Readonly<Record<string, number>>;
  /** How often an instance without traffic is asked for one token; undefined means never. */
  readonly healthCheckIntervalMs: number | undefined;
  readonly breaker: BreakerPreset | undefined;
  readonly fallback: {
    /** `instance_rotation`: another instance; `simple_retry`: the same one again. */
    readonly strategy: "instance_rotation" | "simple_retry";
    /** The most attempts of a request through this pool, 1 to 10. */
    readonly maxInstanceAttempts: number;
  };
}

/** Roles in order, each a list of models (seed 003): primary, duplicate, reserve, fallback unless reordered. */
export interface Chain {
  readonly name: string;
  readonly description: string;
  readonly roles: readonly { readonly role: string; readonly models: readonly string[] }[];
  /** `fastest`: within a role the model that answered fastest lately comes first, an unmeasured one before it. */
  readonly selection: "fixed" | "fastest" | "adaptive";
  /** Undefined means the default. */
  readonly strategy: GenerationStrategy | undefined;
}

/** Another name for a target, with targets to go on to when it cannot serve (seed 001's wrapper). */
export interface Alias {
  readonly name: string;
  readonly target: TargetName;
  readonly fallbacks: readonly TargetName[];
}

/** One answer, or two of which the better is kept. */
export type GenerationStrategy = "single" | "best_of_two";

/** What holds where a request says nothing. */
export interface TargetDefaults {
  readonly target: TargetName | undefined;
  readonly strategy: GenerationStrategy;
  readonly taskType: TaskType | undefined;
}

/** Everything that can be aimed at beside models and providers. */
export interface Targets {
  readonly groups: readonly Group[];
  readonly pools: readonly Pool[];
  readonly chains: readonly Chain[];
  readonly aliases: readonly Alias[];
  readonly defaults: TargetDefaults;
}
