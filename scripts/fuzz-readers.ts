/**
 * Feeds damaged answers to the readers of all dialects until one misbehaves:
 * `node scripts/fuzz-readers.ts [inputs] [seed]`. A million inputs by default. Fails
 * when an input breaks a promise, which it then prints, or when memory grows with
 * the number of inputs.
 */

import { fuzzReaders } from "../test/conformance/reader-fuzz.ts";

const ROUND_COUNT = 20;
const MAX_GROWTH_BYTES = 128 * 1024 * 1024;

const [inputs = "1000000", seedText = "1"] = process.argv.slice(2);
const [inputCount, seed] = [Number(inputs), Number(seedText)];
if (!Number.isSafeInteger(inputCount) || inputCount < ROUND_COUNT || !Number.isSafeInteger(seed)) {
  console.error(`fuzz: give a number of inputs from ${ROUND_COUNT} on, and a seed: 1000000 1`);
  process.exit(2);
}

const total = new Map<string, number>();
let firstRssBytes = 0;
for (let round = 0; round < ROUND_COUNT; round++) {
  const { ends } = fuzzReaders(Math.ceil(inputCount / ROUND_COUNT), seed * ROUND_COUNT + round);
  for (const [end, count] of ends) total.set(end, (total.get(end) ?? 0) + count);
  const rssBytes = process.memoryUsage.rss();
  if (round === 1) firstRssBytes = rssBytes;
  if (round > 1 && rssBytes - firstRssBytes > MAX_GROWTH_BYTES) {
    console.error(`fuzz: memory grew by ${rssBytes - firstRssBytes} bytes in ${round} rounds`);
    process.exit(1);
  }
}
const counts = [...total].toSorted(([, one], [, other]) => other - one);
console.log(`fuzz: ${counts.reduce((sum, [, count]) => sum + count, 0)} inputs kept every promise`);
for (const [end, count] of counts) console.log(`  ${end}: ${count}`);
console.log(`  memory: ${Math.round(process.memoryUsage.rss() / 1_048_576)} MiB`);
