import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { GenerationSpec } from "../../../gen/sluice/v1/generation_pb.ts";
import type { GenerateResponse } from "../../../gen/sluice/v1/router_service_pb.ts";
import type { Clock } from "../../domain/ports.ts";
import { readFileLines } from "../../lib/file-lines.ts";
import { chooseExit } from "../call-failure.ts";
import type { CallResult } from "../rpc-client.ts";
import { UsageError } from "../usage-error.ts";
import type { BatchJournal } from "./batch-journal.ts";
import { readBatchRequest } from "./batch-request.ts";
import { type BatchResult, describeAnswer, describeFailure } from "./batch-result.ts";

/** What a batch needs. */
export interface BatchOptions {
  readonly input: string;
  readonly journal: BatchJournal;
  /** The most requests at once, 1 or more. */
  readonly concurrency: number;
  /** How often a request is asked again that may succeed later, 0 or more. */
  readonly retryCount: number;
  /** Whether what failed for good in an earlier run is asked again too. */
  readonly asksFailedAgain: boolean;
  readonly clock: Clock;
  /** Stops the batch: nothing new is asked, and what runs is cancelled by `ask`. */
  readonly signal: AbortSignal;
  ask(spec: GenerationSpec): Promise<CallResult<GenerateResponse>>;
  onProgress(counts: BatchCounts): Promise<void>;
}

/** How far a batch is. */
export interface BatchCounts {
  /** With those of an earlier run. */
  doneCount: number;
  failedCount: number;
  /** Failed ones that may succeed later. */
  openCount: number;
}

/** How a batch ended, beside its counts. */
export type BatchEnd = "finished" | "stopped" | "unreachable";

interface InputLine {
  readonly number: number;
  /** Undefined when it is longer than any request may be. */
  readonly text: string | undefined;
  readonly input: string;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const HASH_DIGITS = 16;
/** More than a server takes by default, so that it is the server that says what is too much. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Counts the lines that hold something. Rejects with a system error when the file cannot be read. */
export async function countRequests(input: string): Promise<number> {
  let count = 0;
  for await (const _ of readInput(input)) count += 1;
  return count;
}

/**
 * Asks every line of the input that the journal has no lasting result of. Rejects with
 * UsageError when the journal belongs to another input.
 */
export async function runBatch(options: BatchOptions): Promise<{ end: BatchEnd; counts: BatchCounts }> {
  const { journal, concurrency, signal } = options;
  const counts: BatchCounts = { doneCount: 0, failedCount: 0, openCount: 0 };
  let isUnreachable = false;
  const lines = readInput(options.input);
  const asked = new Set<number>();
  const record = async (result: BatchResult) => {
    await journal.add(result);
    await count(result.error !== null, result.error?.may_succeed_later === true);
  };
  const count = async (isFailed: boolean, isOpen: boolean) => {
    counts.doneCount += 1;
    if (isFailed) counts.failedCount += 1;
    if (isOpen) counts.openCount += 1;
    await options.onProgress(counts);
  };
  const work = async () => {
    // The generator hands each line to one worker only; its calls queue up.
    for (;;) {
      if (signal.aborted || isUnreachable) return;
      const next = await lines.next();
      if (next.done) return;
      const line = next.value;
      asked.add(line.number);
      const known = journal.find(line.number);
      if (known !== undefined && known.input !== line.input) {
        throw new UsageError(`Line ${line.number} of the input is not the one that was answered before.`);
      }
      const isAskedAgain = known?.isOpen === true || (known?.isFailed === true && options.asksFailedAgain);
      if (known !== undefined && !isAskedAgain) {
        await count(known.isFailed, false);
        continue;
      }
      const result = await answerLine(line, options);
      if (result === "unreachable") isUnreachable = true;
      else if (result !== "stopped") await record(result);
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: concurrency }, work));
  await lines.return(undefined);
  for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
  if (!signal.aborted && !isUnreachable) refuseOthers(journal, asked);
  const end = signal.aborted ? "stopped" : isUnreachable ? "unreachable" : "finished";
  return { end, counts };
}

/** A journal with results of lines that the input does not have belongs to another input. */
function refuseOthers(journal: BatchJournal, asked: ReadonlySet<number>): void {
  for (const line of journal.lines()) {
    if (!asked.has(line)) {
      throw new UsageError(`Line ${line}, which was answered before, is not in the input any more.`);
    }
  }
}

async function answerLine(
  { number, text, input }: InputLine,
  options: BatchOptions,
): Promise<BatchResult | "stopped" | "unreachable"> {
  const request =
    text === undefined
      ? { ok: false as const, customId: undefined, wrong: `the line has more than ${MAX_LINE_BYTES} bytes` }
      : readBatchRequest(text);
  const head = { line: number, input, custom_id: request.customId ?? null };
  if (!request.ok) {
    const message = request.wrong;
    const error = { code: "INVALID_ARGUMENT", reason: "", message, may_succeed_later: false };
    return { ...head, answer: null, error };
  }
  for (let triedCount = 0; ; triedCount++) {
    const result = await options.ask(request.spec);
    if (result.ok) return { ...head, answer: describeAnswer(result.value), error: null };
    if (options.signal.aborted) return "stopped";
    const exit = chooseExit(result.failure);
    if (exit === "unreachable") return "unreachable";
    if (exit !== "tryAgain" || triedCount >= options.retryCount) {
      return { ...head, answer: null, error: describeFailure(result.failure) };
    }
    const delayMs = result.failure.retryDelayMs ?? FIRST_DELAY_MS * 2 ** triedCount;
    await wait(options.clock, Math.min(Math.max(delayMs, FIRST_DELAY_MS), MAX_DELAY_MS), options.signal);
    if (options.signal.aborted) return "stopped";
  }
}

/** Ends at the signal as well. */
function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.timer(delayMs, finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}

async function* readInput(input: string): AsyncGenerator<InputLine, undefined> {
  const file = await open(input);
  try {
    let number = 0;
    for await (const { text, lengthBytes } of readFileLines(file, MAX_LINE_BYTES)) {
      number += 1;
      if (text?.trim() === "") continue;
      const facts = text ?? `${lengthBytes} bytes`;
      yield { number, text, input: createHash("sha256").update(facts).digest("hex").slice(0, HASH_DIGITS) };
    }
  } finally {
    await file.close();
  }
  return undefined;
}
