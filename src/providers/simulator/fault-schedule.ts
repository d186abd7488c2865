import {
  FAULT_KINDS,
  type FaultKind,
  type FaultRatios,
  type ScheduledFault,
} from "../../domain/simulation.ts";

/**
 * Which fault a request meets, if any. `chance` is from 0 to 1: the first entry of the
 * schedule that is running and hits wins, then the shares in the order of FAULT_KINDS.
 */
export function chooseFault(
  schedule: readonly ScheduledFault[],
  ratios: FaultRatios,
  request: { readonly elapsedMs: number; readonly model: string; readonly chance: number },
): FaultKind | undefined {
  const { elapsedMs, model, chance } = request;
  const running = schedule.find(
    (fault) =>
      elapsedMs >= fault.fromMs &&
      elapsedMs < fault.toMs &&
      chance < fault.ratio &&
      (fault.model === undefined || fault.model === model),
  );
  if (running !== undefined) return running.kind;
  let until = 0;
  for (const kind of FAULT_KINDS) {
    until += ratios[kind] ?? 0;
    if (chance < until) return kind;
  }
  return undefined;
}
