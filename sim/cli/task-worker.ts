/** A worker thread: makes the runs it is sent, one after the other. */

import { parentPort } from "node:worker_threads";
import { type RunTask, runTask } from "./run-task.ts";

parentPort?.on("message", (task: RunTask) => parentPort?.postMessage(runTask(task)));
