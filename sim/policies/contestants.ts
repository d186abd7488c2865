/** Everybody who takes part. */

import type { Fleet, FleetParts } from "../fleet/fleet.ts";
import { type FleetPolicyFactory, PolicyFleet } from "../fleet/policy-fleet.ts";
import { SluiceFleet } from "../fleet/sluice-fleet.ts";
import { type SluiceOptions, WHOLE_SLUICE } from "../fleet/sluice-options.ts";
import { oraclePolicy } from "./oracle.ts";
import { randomPolicy } from "./random-policy.ts";
import { roundRobinPolicy } from "./simple-policies.ts";
import {
  listVariants,
  nameParameters,
  type Parameters,
  TUNABLE_BASELINES,
  type TunableBaseline,
} from "./tunable.ts";
import { readTuned } from "./tuned.ts";

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

function tuned(each: TunableBaseline, parameters: Parameters, name: string): Contestant {
  return baseline(name, `${each.title} (${nameParameters(parameters)})`, each.make(parameters));
}

/** The published value of each figure that a sweep looks at. */
function swept(each: TunableBaseline): Parameters {
  return listVariants(each)[0] ?? {};
}

const TUNED = readTuned();

/** In the order of the report; baselines with the best figures that a sweep found. `random` and `oracle` are the ends of the scale of regret. */
export const CONTESTANTS: readonly Contestant[] = [
  { name: "sluice", title: "Sluice", kind: "ours", start: (parts) => new SluiceFleet(parts, WHOLE_SLUICE) },
  ablation("no-gossip", "Sluice without gossip", { gossip: false }),
  ablation("no-hedging", "Sluice without hedging", { hedging: false }),
  ablation("no-quota-sharing", "Sluice without shared quota use", { quotaSharing: false }),
  ablation("no-trip-test", "Sluice without the trip test", { tripTest: false }),
  baseline("random", "Random", randomPolicy),
  baseline("round-robin", "Round robin", roundRobinPolicy),
  ...TUNABLE_BASELINES.map((each) => tuned(each, TUNED.get(each.name) ?? swept(each), each.name)),
  {
    name: "oracle",
    title: "Oracle O1",
    kind: "oracle",
    start: (parts) => new PolicyFleet(parts, oraclePolicy),
  },
];

/** The baselines with every combination of figures that a sweep tries, named `<baseline>@<figures>`. */
export const VARIANTS: readonly Contestant[] = TUNABLE_BASELINES.flatMap((each) =>
  listVariants(each).map((parameters) =>
    tuned(each, parameters, `${each.name}@${nameParameters(parameters)}`),
  ),
);

/** The contestant, or variant of one, of that name. */
export function findContestant(name: string): Contestant | undefined {
  return (name.includes("@") ? VARIANTS : CONTESTANTS).find((contestant) => contestant.name === name);
}
