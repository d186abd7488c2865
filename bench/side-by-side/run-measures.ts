import { setTimeout as sleep } from "node:timers/promises";
import { canPin } from "./child-processes.ts";
import type { Contestant } from "./contestants.ts";
import { readRssMib, startGateway, startUpstream, timeEmptyNode, type Upstream } from "./gateway.ts";
import { type Measure, STARTUP } from "./measures.ts";
import type { NativeBinaries } from "./native-binaries.ts";
import { type LoadTarget, runLoad } from "./run-load.ts";
import { type Results, type Sample, toCell, toSample } from "./sample.ts";

/** The start-up row of plain Node, which the others are compared with. */
export const EMPTY_NODE = "node -e 0";

/** Everything a run needs to know. */
export interface Plan {
  readonly contestants: readonly Contestant[];
  readonly measures: readonly Measure[];
  /** How often start-up is taken per round: it is so short that once says little. 0 leaves it out. */
  readonly startsPerRound: number;
  readonly repeatCount: number;
  /** Idle time before and after a load, for memory. */
  readonly settleMs: number;
  readonly binaries: NativeBinaries;
  /** Told before each step: what comes, how many steps are done, and of how many. */
  readonly onStep: (text: string, doneCount: number, totalCount: number) => void;
}

interface Step {
  readonly measure: Measure | undefined;
  readonly contestant: Contestant | undefined;
  readonly round: number;
}

function takesPart(contestant: Contestant, measureName: string): boolean {
  return contestant.measures?.includes(measureName) ?? true;
}

/** Round by round, measure by measure; who begins changes, so that a slow minute hits all alike. */
function listSteps(plan: Plan): Step[] {
  const steps: Step[] = [];
  for (let round = 0; round < plan.repeatCount; round++) {
    const shift = round % Math.max(plan.contestants.length, 1);
    const order = [...plan.contestants.slice(shift), ...plan.contestants.slice(0, shift)];
    for (let start = 0; start < plan.startsPerRound; start++) {
      steps.push({ measure: undefined, contestant: undefined, round });
      const part = order.filter((one) => one.launch !== undefined && takesPart(one, STARTUP));
      steps.push(...part.map((contestant) => ({ measure: undefined, contestant, round })));
    }
    for (const measure of plan.measures) {
      const part = order.filter((contestant) => takesPart(contestant, measure.name));
      steps.push(...part.map((contestant) => ({ measure, contestant, round })));
    }
  }
  return steps;
}

function startupSample(startMs: number): Sample {
  const none = {
    cpuUsPerRequest: 0,
    requestsPerSecond: 0,
    tokensPerSecond: 0,
    cpuRatio: 0,
    disturbedRatio: 0,
    errorCount: 0,
  };
  const times = { latencyP50Us: 0, latencyP99Us: 0, tokenP50Us: 0, tokenP99Us: 0 };
  return { ...none, ...times, idleRssMib: 0, peakRssMib: 0, afterRssMib: 0, startMs };
}

async function measureStartup(contestant: Contestant | undefined, upstream: Upstream): Promise<Sample> {
  if (contestant === undefined) return startupSample(await timeEmptyNode());
  const gateway = await startGateway(contestant, upstream.port);
  await gateway.stop();
  return startupSample(gateway.startMs);
}

async function loadTarget(plan: Plan, measure: Measure, target: LoadTarget) {
  if (measure.requestsPerSecond > 0) {
    // Two hundred requests a second compile nothing within seconds: saturation does.
    await runLoad(plan.binaries.loadGenerator, target, {
      ...measure,
      requestsPerSecond: 0,
      warmMs: 0,
      measureMs: measure.warmMs,
    });
    return runLoad(plan.binaries.loadGenerator, target, { ...measure, warmMs: 300 });
  }
  return runLoad(plan.binaries.loadGenerator, target, measure);
}

/** A fresh process for every sample: what one load leaves in a heap cannot change the next. */
async function measureLoad(
  plan: Plan,
  measure: Measure,
  contestant: Contestant,
  upstream: Upstream,
): Promise<{ readonly sample: Sample; readonly problem: string | undefined }> {
  const door = contestant.door(upstream.port);
  const gateway = contestant.launch === undefined ? undefined : await startGateway(contestant, upstream.port);
  try {
    const pid = gateway?.pid ?? upstream.pid;
    await sleep(plan.settleMs);
    const idleRssMib = readRssMib(pid);
    const load = await loadTarget(plan, measure, {
      door,
      port: gateway?.port ?? upstream.port,
      pids: [pid],
      core: gateway && canPin ? 0 : undefined,
    });
    await sleep(plan.settleMs * 2);
    // A stream that moves tokens counts, even when none came to its end in time.
    if (load.requestCount + load.tokenCount === 0) {
      throw new Error(`nothing was answered: ${load.firstError || "no error was seen"}`);
    }
    const facts = { idleRssMib, afterRssMib: readRssMib(pid), startMs: gateway?.startMs ?? 0 };
    const problem = load.errorCount > 0 ? `${load.errorCount} errors, first: ${load.firstError}` : undefined;
    return { sample: toSample(load, facts), problem };
  } finally {
    await gateway?.stop();
  }
}

/** Runs every step. What fails is a problem in the results, and the others go on. */
export async function runMeasures(plan: Plan): Promise<Results> {
  const samples = new Map<string, Map<string, { samples: Sample[]; problems: string[] }>>();
  const upstream = await startUpstream(plan.binaries.mockUpstream);
  try {
    const steps = listSteps(plan);
    for (const [index, { measure, contestant, round }] of steps.entries()) {
      const measureName = measure?.name ?? STARTUP;
      const name = contestant?.name ?? EMPTY_NODE;
      plan.onStep(`round ${round + 1}/${plan.repeatCount}, ${measureName}, ${name}`, index, steps.length);
      const byContestant = samples.get(measureName) ?? new Map();
      samples.set(measureName, byContestant);
      const cell = byContestant.get(name) ?? { samples: [], problems: [] };
      byContestant.set(name, cell);
      try {
        if (measure === undefined || contestant === undefined) {
          cell.samples.push(await measureStartup(contestant, upstream));
        } else {
          const { sample, problem } = await measureLoad(plan, measure, contestant, upstream);
          cell.samples.push(sample);
          if (problem !== undefined) cell.problems.push(problem);
        }
      } catch (error) {
        cell.problems.push(error instanceof Error ? error.message : String(error));
      }
    }
  } finally {
    await upstream.stop();
  }
  const entries = [...samples].map(([measureName, cells]) => {
    const merged = [...cells].map(([name, cell]) => [name, toCell(cell.samples, cell.problems)] as const);
    return [measureName, new Map(merged)] as const;
  });
  return new Map(entries);
}
