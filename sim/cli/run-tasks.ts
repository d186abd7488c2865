import { Worker } from "node:worker_threads";
import type { KeptRuns } from "./kept-runs.ts";
import { type RunResult, type RunTask, runTask } from "./run-task.ts";

/**
 * Makes all runs, in this thread or in `jobCount` workers, and answers the results in the
 * order of the tasks, whoever was ready first. What `kept` has is not made again.
 */
export async function runTasks(
  tasks: readonly RunTask[],
  jobCount: number,
  kept: Pick<KeptRuns, "find" | "keep"> | undefined,
  onDone: (doneCount: number) => void,
): Promise<readonly RunResult[]> {
  const results: RunResult[] = [];
  let doneCount = 0;
  const keep = (index: number, result: RunResult) => {
    results[index] = result;
    onDone(++doneCount);
  };
  const missing: number[] = [];
  for (const [index, task] of tasks.entries()) {
    const known = kept?.find(task);
    if (known === undefined) missing.push(index);
    else keep(index, known);
  }
  const make = (place: number, result: RunResult) => {
    kept?.keep(result);
    keep(missing[place] ?? -1, result);
  };
  const toMake = missing.flatMap((index) => tasks[index] ?? []);
  if (jobCount === 1) {
    for (const [place, task] of toMake.entries()) make(place, runTask(task));
    return results;
  }
  let nextPlace = 0;
  await Promise.all(
    Array.from({ length: Math.min(jobCount, toMake.length) }, () => work(toMake, () => nextPlace++, make)),
  );
  return results;
}

function work(
  tasks: readonly RunTask[],
  takeIndex: () => number,
  keep: (index: number, result: RunResult) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./task-worker.ts", import.meta.url));
    let index = takeIndex();
    const send = () => {
      const task = tasks[index];
      if (task !== undefined) return worker.postMessage(task);
      worker.terminate().then(() => resolve(), reject);
    };
    worker.on("error", reject);
    worker.on("message", (result: RunResult) => {
      keep(index, result);
      index = takeIndex();
      send();
    });
    send();
  });
}
