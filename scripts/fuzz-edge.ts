/**
 * Sends hostile inputs to the edge of a server in its own process.
 * `node scripts/fuzz-edge.ts [--inputs 1000000] [--seed N] [--batch N]`; `--batch` replays one.
 */

import { parseArgs } from "node:util";
import { fuzzEdge } from "../test/fuzz/fuzz-edge.ts";
import { makeBatch } from "../test/fuzz/make-batch.ts";

const BAR_CHARACTERS = 40;

function readCount(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${text} is no whole number of 0 or more`);
  return count;
}

function describeBytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { inputs: { type: "string" }, seed: { type: "string" }, batch: { type: "string" } },
  });
  const seed = readCount(values.seed, Date.now() % 2 ** 31);
  const firstBatch = values.batch === undefined ? undefined : readCount(values.batch, 0);
  const wantedCount = firstBatch === undefined ? readCount(values.inputs, 1_000_000) : 1;
  console.log(`seed ${seed}, ${wantedCount} inputs`);
  let shownPercent = -1;
  const result = await fuzzEdge({
    seed,
    inputCount: wantedCount,
    ...(firstBatch === undefined ? {} : { firstBatch }),
    onProgress(sentCount) {
      const percent = Math.min(100, Math.floor((100 * sentCount) / wantedCount));
      if (percent === shownPercent || !process.stdout.isTTY) return;
      shownPercent = percent;
      const done = Math.round((percent / 100) * BAR_CHARACTERS);
      process.stdout.write(`\r[${"#".repeat(done)}${".".repeat(BAR_CHARACTERS - done)}] ${percent} % `);
    },
  });
  const { before, after } = result;
  console.log(
    `\n${result.inputCount} inputs over ${result.batchCount} connections; one input is one request or one broken frame`,
  );
  console.log(
    `${after.requestCount} requests reached the edge; ${result.otherCallCount} calls of another caller succeeded meanwhile`,
  );
  console.log(
    `memory in use ${describeBytes(before.heldBytes)} after the warm-up, ${describeBytes(after.heldBytes)} at the end`,
  );
  console.log(
    `resident ${describeBytes(before.rssBytes)} after the warm-up, ${describeBytes(after.rssBytes)} at the end`,
  );
  for (const failure of result.failures) console.log(`FAILED: ${failure}`);
  const [, number] = /batch(?:es)? ([0-9]+)/.exec(result.failures[0] ?? "") ?? [];
  if (number !== undefined) {
    const { kind, bytes } = makeBatch(seed, Number(number));
    console.log(`replay with: node scripts/fuzz-edge.ts --seed ${seed} --batch ${number}`);
    console.log(`${kind}, ${bytes.length} bytes, base64:\n${bytes.toString("base64").slice(0, 4_000)}`);
  }
  return result.failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
