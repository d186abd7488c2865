import type { FaultKind, ScheduledFault, SimulatedBehaviour } from "../domain/simulation.ts";

/** One of `faults`, as the schema gives it. */
interface FaultEntry {
  readonly kind: FaultKind;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly ratio: number;
  readonly model?: string | undefined;
}

/** The fields of simulated-behaviour.ts, as the schema gives them. */
interface BehaviourEntry {
  readonly time_to_first_token_p95?: number | undefined;
  readonly tokens_per_second_p95?: number | undefined;
  readonly output_tokens_p95?: number | undefined;
  readonly requests_per_minute?: number | undefined;
  readonly tokens_per_minute?: number | undefined;
  readonly faults?: readonly FaultEntry[] | undefined;
}

/** The behaviour of a simulated provider; undefined when the file says nothing of it. */
export function assembleBehaviour(entry: BehaviourEntry): SimulatedBehaviour | undefined {
  const { requests_per_minute, tokens_per_minute, faults } = entry;
  const behaviour: SimulatedBehaviour = {
    timeToFirstTokenP95Ms: entry.time_to_first_token_p95,
    tokensPerSecondP95: entry.tokens_per_second_p95,
    outputTokensP95: entry.output_tokens_p95,
    quota: { requestsPerMinute: requests_per_minute, tokensPerMinute: tokens_per_minute },
    schedule: assembleSchedule(faults ?? []),
  };
  const { quota, schedule, ...spreads } = behaviour;
  const told = [...Object.values(quota), ...Object.values(spreads)].some((each) => each !== undefined);
  return told || schedule.length > 0 ? behaviour : undefined;
}

/** A schedule with its open ends filled in. */
export function assembleSchedule(entries: readonly FaultEntry[]): readonly ScheduledFault[] {
  return entries.map(({ kind, from = 0, to = Number.POSITIVE_INFINITY, ratio, model }) => ({
    kind,
    fromMs: from,
    toMs: to,
    ratio,
    model,
  }));
}
