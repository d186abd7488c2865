/**
 * `npm run bench -- [name] [options]`: runs one benchmark. A benchmark is a file of
 * bench/suites or bench/micro that exports `run(args)`, so a new one is a new file.
 */

import { readdirSync } from "node:fs";

interface Benchmark {
  /** Runs and returns the exit code. `args` are the words after the name. */
  run(args: readonly string[]): Promise<number>;
}

const DEFAULT_NAME = "side-by-side";
const FOLDERS = ["suites", "micro"];

function listBenchmarks(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of FOLDERS) {
    for (const file of readdirSync(new URL(`./${folder}/`, import.meta.url))) {
      if (file.endsWith(".ts")) found.set(file.slice(0, -3), `./${folder}/${file}`);
    }
  }
  return found;
}

async function main(words: readonly string[]): Promise<number> {
  const named = words[0] !== undefined && !words[0].startsWith("-");
  const name = named ? words[0] : DEFAULT_NAME;
  const benchmarks = listBenchmarks();
  const file = benchmarks.get(name ?? DEFAULT_NAME);
  if (file === undefined) {
    console.error(`bench: there is no benchmark "${name}". There are: ${[...benchmarks.keys()].join(", ")}.`);
    return 2;
  }
  const benchmark = (await import(file)) as Benchmark;
  return benchmark.run(named ? words.slice(1) : words);
}

process.exitCode = await main(process.argv.slice(2));
