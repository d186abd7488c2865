/** Everybody who takes part. */

import type { Fleet, FleetParts } from "../fleet/fleet.ts";
import { type FleetPolicyFactory, PolicyFleet } from "../fleet/policy-fleet.ts";
import { SluiceFleet } from "../fleet/sluice-fleet.ts";
import { type SluiceOptions, WHOLE_SLUICE } from "../fleet/sluice-options.ts";
import { bifrostPolicy } from "./bifrost.ts";
import { chainPolicy } from "./chain.ts";
import { envoyPolicy } from "./envoy.ts";
import { latencyBasedPolicy } from "./latency-based.ts";
import { openRouterPolicy } from "./openrouter.ts";
import { oraclePolicy } from "./oracle.ts";
import { FINAGLE, LINKERD, peakEwmaPolicy } from "./peak-ewma.ts";
import { randomPolicy } from "./random-policy.ts";
import {
  leastBusyPolicy,
  lowestCostPolicy,
  roundRobinPolicy,
  shufflePolicy,
  usageBasedPolicy,
} from "./simple-policies.ts";
import { THOMPSON, thompsonPolicy } from "./thompson.ts";

/** One way of routing. */
export interface Contestant {
  readonly name: string;
  /** What it is, for the report. */
  readonly title: string;
  readonly kind: "ours" | "ablation" | "baseline" | "oracle";
  readonly start: (parts: FleetParts) => Fleet;
}

function baseline(name: string, title: string, make: FleetPolicyFactory): Contestant {
  return { name, title, kind: "baseline", start: (parts) => new PolicyFleet(parts, make) };
}

function ablation(name: string, title: string, change: Partial<SluiceOptions>): Contestant {
  const options = { ...WHOLE_SLUICE, ...change };
  return { name, title, kind: "ablation", start: (parts) => new SluiceFleet(parts, options) };
}

/** In the order of the report. `random` and `oracle` are the ends of the scale of regret. */
export const CONTESTANTS: readonly Contestant[] = [
  { name: "sluice", title: "Sluice", kind: "ours", start: (parts) => new SluiceFleet(parts, WHOLE_SLUICE) },
  ablation("no-gossip", "Sluice without gossip", { gossip: false }),
  ablation("no-hedging", "Sluice without hedging", { hedging: false }),
  ablation("no-quota-sharing", "Sluice without shared quota use", { quotaSharing: false }),
  ablation("no-trip-test", "Sluice without the trip test", { tripTest: false }),
  baseline("random", "Random", randomPolicy),
  baseline("round-robin", "Round robin", roundRobinPolicy),
  baseline("shuffle", "LiteLLM simple-shuffle + cooldown", shufflePolicy),
  baseline("latency", "LiteLLM latency as is + cooldown", latencyBasedPolicy(false)),
  baseline("latency-fixed", "LiteLLM latency, mended + cooldown", latencyBasedPolicy(true)),
  baseline("least-busy", "LiteLLM least-busy + cooldown", leastBusyPolicy),
  baseline("lowest-cost", "LiteLLM lowest-cost + cooldown", lowestCostPolicy),
  baseline("usage", "LiteLLM usage-based v2 + cooldown", usageBasedPolicy),
  baseline(
    "chain",
    "Static chain with a breaker (5, 60 s)",
    chainPolicy({ failureCount: 5, openMs: 60_000 }),
  ),
  baseline("peak-ewma", "Finagle Peak EWMA, two choices", peakEwmaPolicy(FINAGLE)),
  baseline("penalty-ewma", "Linkerd penalty Peak EWMA, two choices", peakEwmaPolicy(LINKERD)),
  baseline("openrouter", "OpenRouter classic", openRouterPolicy),
  baseline("bifrost", "Bifrost-like", bifrostPolicy),
  baseline("envoy", "Envoy-like", envoyPolicy),
  baseline("thompson", "Discounted Thompson (60 s), declared worth", thompsonPolicy(THOMPSON)),
  {
    name: "oracle",
    title: "Oracle O1",
    kind: "oracle",
    start: (parts) => new PolicyFleet(parts, oraclePolicy),
  },
];
