import { OtherCaller } from "../rpc/server/abuse/other-caller.ts";
import { FuzzProcess } from "./fuzz-process.ts";
import type { FuzzReport } from "./fuzz-server.ts";
import { makeBatch } from "./make-batch.ts";
import { sendBatch } from "./send-batch.ts";

/** Connections at once. */
const PARALLEL_COUNT = 8;
/** How long the server may take for one connection. */
const BATCH_TIMEOUT_MS = 10_000;
/** Inputs before memory is measured for the first time: code is compiled and buffers find their size. */
const WARM_UP_SHARE = 0.1;
const STOP_TIMEOUT_MS = 5_000;

/** What to send. */
export interface FuzzOptions {
  readonly seed: number;
  /** At least this many. */
  readonly inputCount: number;
  /** The first batch; a single one is replayed with `inputCount` 1. */
  readonly firstBatch?: number;
  /** Told now and then how many inputs were sent. */
  onProgress?(sentCount: number): void;
}

/** What came of it. */
export interface FuzzResult {
  readonly inputCount: number;
  readonly batchCount: number;
  /** After the warm-up, and at the end. */
  readonly before: FuzzReport;
  readonly after: FuzzReport;
  /** Calls of a well-behaved caller meanwhile. */
  readonly otherCallCount: number;
  /** Empty when all is well; each says what failed, and with which batches to replay it. */
  readonly failures: readonly string[];
}

/** Sends hostile inputs to a server in its own process while another caller calls it. */
export async function fuzzEdge(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, inputCount, firstBatch = 0 } = options;
  const server = await FuzzProcess.start();
  const other = new OtherCaller(`http://127.0.0.1:${server.port}`);
  const failures: string[] = [];
  let sentCount = 0;
  let nextBatch = firstBatch;
  const sendUntil = async (endCount: number): Promise<void> => {
    const active = new Set<number>();
    const work = async (): Promise<void> => {
      while (sentCount < endCount && failures.length === 0) {
        const number = nextBatch++;
        const batch = makeBatch(seed, number);
        sentCount += batch.inputCount;
        active.add(number);
        const isInTime = await sendBatch(server.port, batch, BATCH_TIMEOUT_MS);
        if (server.exit !== undefined)
          failures.push(`one of the batches ${[...active].join(", ")}: ${server.exit}`);
        else if (!isInTime) failures.push(`batch ${number}: the connection was neither answered nor closed`);
        active.delete(number);
        options.onProgress?.(sentCount);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_COUNT }, work));
  };
  try {
    await sendUntil(inputCount * WARM_UP_SHARE);
    const before = await server.measure();
    await sendUntil(inputCount);
    await other.stop();
    const after = await server.measure();
    failures.push(...after.bugLines.map((line) => `the server logged a bug: ${line}`));
    failures.push(...other.failures.slice(0, 3).map((error) => `another caller's call failed: ${error}`));
    if (after.openCount > 0) failures.push(`${after.openCount} handlers never ended`);
    const unstopped = await server.stop(STOP_TIMEOUT_MS);
    if (unstopped !== undefined) failures.push(unstopped);
    return {
      inputCount: sentCount,
      batchCount: nextBatch - firstBatch,
      before,
      after,
      otherCallCount: other.successCount,
      failures,
    };
  } finally {
    await other.stop();
    await server.stop(0);
  }
}
