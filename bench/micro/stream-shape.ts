/**
 * How should a stream move inside the process? Sends tokens through three layers in
 * three shapes, with a socket that is full now and then, and prints what a token costs.
 */

import { getHeapStatistics } from "node:v8";
import { median } from "../side-by-side/statistics.ts";
import { renderText } from "../side-by-side/table.ts";
import { type Pipe, parseRead, Socket, type StreamShape } from "../stream-shape/network.ts";
import { BATCH_GENERATORS, NOTHING, PUSH, TOKEN_GENERATORS } from "../stream-shape/shapes.ts";

const SHAPES: readonly StreamShape[] = [NOTHING, PUSH, BATCH_GENERATORS, TOKEN_GENERATORS];
const TOKENS_PER_READ = [1, 4, 20];
const STREAM_COUNT = 64;
const TOKEN_COUNT = 256_000;
const REPEAT_COUNT = 7;

interface Cost {
  readonly nsPerToken: number;
  readonly bytesPerToken: number;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One read for each stream that is not paused, then a turn of the event loop; until all tokens are through. */
async function send(shape: StreamShape, tokensPerRead: number, onTurn: () => void): Promise<void> {
  const streams: { readonly socket: Socket; readonly pipe: Pipe }[] = [];
  for (let index = 0; index < STREAM_COUNT; index++) {
    const socket = new Socket();
    streams.push({ socket, pipe: shape.open(socket) });
  }
  let sentCount = 0;
  while (sentCount < TOKEN_COUNT) {
    for (const { socket, pipe } of streams) {
      socket.drain();
      if (pipe.paused) continue;
      pipe.deliver(parseRead(tokensPerRead));
      sentCount += tokensPerRead;
    }
    await nextTurn();
    onTurn();
  }
  for (let turn = 0; turn < 4; turn++) {
    for (const { socket } of streams) socket.drain();
    await nextTurn();
  }
  for (const { pipe } of streams) pipe.end();
  const arrivedCount = streams.reduce((sum, { socket }) => sum + socket.tokenCount, 0);
  if (arrivedCount !== sentCount)
    throw new Error(`${shape.name}: ${arrivedCount} of ${sentCount} tokens arrived`);
}

async function measureCost(shape: StreamShape, tokensPerRead: number): Promise<Cost> {
  const before = process.cpuUsage();
  const beganMs = performance.now();
  await send(shape, tokensPerRead, () => {});
  const elapsedMs = performance.now() - beganMs;
  const cpu = process.cpuUsage(before);
  // The main thread is never idle here: what CPU time has beyond the wall's is collector threads' work.
  const spentMs = Math.max(elapsedMs, (cpu.user + cpu.system) / 1000);
  let allocatedBytes = 0;
  let heapBytes = getHeapStatistics().used_heap_size;
  await send(shape, tokensPerRead, () => {
    const now = getHeapStatistics().used_heap_size;
    // A collection in between makes the heap smaller; what that one turn allocated is lost, less than 1 %.
    allocatedBytes += Math.max(0, now - heapBytes);
    heapBytes = now;
  });
  return { nsPerToken: (spentMs * 1e6) / TOKEN_COUNT, bytesPerToken: allocatedBytes / TOKEN_COUNT };
}

/** Runs for about ten seconds; takes no options. */
export async function run(args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    console.error("bench: stream-shape takes no options.");
    return 2;
  }
  const costs = new Map<string, Cost[]>();
  for (let repeat = 0; repeat <= REPEAT_COUNT; repeat++) {
    for (const tokensPerRead of TOKENS_PER_READ) {
      // Who goes first changes: what the compiler learnt from one shape must not always hit the same next one.
      for (let turn = 0; turn < SHAPES.length; turn++) {
        const shape = SHAPES[(turn + repeat) % SHAPES.length] ?? NOTHING;
        const cost = await measureCost(shape, tokensPerRead);
        const key = `${shape.name} ${tokensPerRead}`;
        // The first round only warms.
        if (repeat > 0) costs.set(key, [...(costs.get(key) ?? []), cost]);
      }
    }
  }
  const read = (shape: StreamShape, tokensPerRead: number, member: keyof Cost): number =>
    median((costs.get(`${shape.name} ${tokensPerRead}`) ?? []).map((cost) => cost[member]));
  const rows = (member: keyof Cost): string[][] =>
    SHAPES.map((shape) => [
      shape.name,
      ...TOKENS_PER_READ.map((count) => read(shape, count, member).toFixed(0)),
    ]);
  const head = ["tokens per network read", ...TOKENS_PER_READ.map(String)];
  console.log(`Node ${process.version}, medians of ${REPEAT_COUNT}, three layers, ${STREAM_COUNT} streams\n`);
  console.log(renderText({ title: "CPU, ns per token", head, rows: rows("nsPerToken"), content: "numbers" }));
  console.log(
    `\n${renderText({ title: "Allocation, bytes per token", head, rows: rows("bytesPerToken"), content: "numbers" })}`,
  );
  return 0;
}
