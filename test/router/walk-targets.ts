/** A catalog with one target of every kind, for tests that walk all of them. */

import type { Model } from "../../src/domain/deployment.ts";
import type { Targets } from "../../src/domain/targets.ts";
import { sampleModel } from "../support/sample-catalog.ts";
import { sampleAlias, sampleChain, sampleGroup, samplePool } from "../unit/core/candidates/sample-targets.ts";

/** What the first echelon of `group` allows. */
export const ECHELON_LIMITS = { concurrencyLimit: 1, rpmLimit: 3 } as const;

const PRICE = { inputNanoUsd: 1_000_000, outputNanoUsd: 2_000_000 };

/** Three models of two providers, and one of both; `a` lets one attempt in at a time. */
export const WALK_MODELS: readonly Model[] = [
  sampleModel("a", { providers: ["p"], concurrencyLimit: 1, price: PRICE }),
  sampleModel("b", { providers: ["q"], tiers: { quality: 4 } }),
  sampleModel("c", { providers: ["p", "q"], price: PRICE }),
];

/** Names of `WALK_TARGETS`, and the one of the bench's own chain. */
export const TARGET_NAMES = [
  "auto",
  "a",
  "q",
  "group",
  "switching",
  "failover",
  "pool",
  "retrying",
  "chain",
  "alias",
] as const;

/** One target of each kind, with limits, delays and breakers of their own. */
export const WALK_TARGETS: Partial<Targets> = {
  groups: [
    sampleGroup("group", [["a", "b"], ["c"]], {
      rotation: "round_robin",
      echelons: [
        { name: "echelon1", priority: 1, models: ["a", "b"], settings: { ...ECHELON_LIMITS, maxRetries: 1 } },
        { name: "echelon2", priority: 2, models: ["c"], settings: { timeoutMs: 3_000 } },
      ],
      fallback: { retryDelayMs: 300 },
    }),
    sampleGroup("switching", [["a"], ["b"]], {
      fallback: { strategy: "task_group_switch", targets: ["failover"], retryDelayMs: 0 },
    }),
    sampleGroup("failover", [["b", "c"]], {
      rotation: "fixed",
      fallback: { strategy: "provider_failover", retryDelayMs: 0 },
    }),
  ],
  pools: [
    samplePool("pool", ["failover", "a"], {
      rotation: "least_recently_used",
      breaker: { kind: "counting", failureThreshold: 2, recoveryTimeMs: 2_000, halfOpenRequests: 1 },
    }),
    samplePool("retrying", ["b", "c"], {
      rotation: "weighted",
      weights: { b: 3, c: 1 },
      fallback: { strategy: "simple_retry", maxInstanceAttempts: 3 },
    }),
  ],
  chains: [sampleChain("chain", { primary: ["a", "b"], duplicate: ["c"] }, { selection: "fastest" })],
  aliases: [sampleAlias("alias", "pool", "group")],
};
