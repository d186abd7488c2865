import { join } from "node:path";
import { ENDPOINTS_FILE } from "../../sim/cli/run-task.ts";
import { CONTESTANTS, type Contestant } from "../../sim/policies/contestants.ts";
import type { Measures } from "../../sim/report/measure.ts";
import { runOnce } from "../../sim/run-once.ts";
import { readEndpoints } from "../../sim/world/endpoint-spec.ts";
import { REGIMES, type Regime } from "../../sim/world/regime.ts";
import { type Effect, readScenario, type Scenario } from "../../sim/world/scenario.ts";

export const ENDPOINTS = readEndpoints(ENDPOINTS_FILE);

/** The contestant of that name. */
export function findContestant(name: string): Contestant {
  const found = CONTESTANTS.find((contestant) => contestant.name === name);
  if (found === undefined) throw new Error(`there is no policy ${name}`);
  return found;
}

/** The shipped scenario of that id. */
export function readScenarioById(id: string): Scenario {
  return readScenario(join(import.meta.dirname, `../../sim/data/scenarios/${id.toLowerCase()}.json`));
}

/** Runs a scenario in the tight regime, with the fault moved to begin after `faultFromMs` and everything cut short. */
export function runShort(id: string, contestant: Contestant, options: ShortOptions): Measures {
  const scenario = readScenarioById(id);
  const { seed, untilMs, faultFromMs } = options;
  const shift = scenario.faultFromMs > 0 ? faultFromMs - scenario.faultFromMs : 0;
  return runOnce({
    scenario: {
      ...scenario,
      faultFromMs: scenario.faultFromMs + shift,
      faultUntilMs: scenario.faultUntilMs + shift,
      effects: [
        ...(options.effects ?? []),
        ...scenario.effects.map((effect) => ({
          ...effect,
          fromMs: effect.fromMs + shift,
          untilMs: effect.untilMs + shift,
        })),
      ],
    },
    regime: options.regime ?? REGIMES.tight,
    seed,
    contestant,
    endpoints: ENDPOINTS,
    untilMs,
    trace: undefined,
    incidents: undefined,
  });
}

export interface ShortOptions {
  readonly seed: number;
  readonly untilMs: number;
  readonly faultFromMs: number;
  readonly regime?: Regime;
  /** Beside those of the scenario. */
  readonly effects?: readonly Effect[];
}
