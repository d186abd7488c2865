import { access, copyFile, rename, stat } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { GenerateRequestSchema, RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { BatchJournal } from "../batch/batch-journal.ts";
import { describeFailedLine, listFailures } from "../batch/list-failures.ts";
import { type BatchCounts, countRequests, runBatch } from "../batch/run-batch.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseCountOption } from "../option-value.ts";
import type { Arguments } from "../parse-arguments.ts";
import { printable } from "../printable-text.ts";
import { ProgressBar } from "../progress-bar.ts";
import { SIMULATION_NOTICE } from "../simulation-notice.ts";
import { describeSystemError } from "../system-error.ts";
import { readTargetOption, resolveTarget, TARGET_OPTIONS } from "../target-option.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

const DEFAULT_CONCURRENCY = 4;
const MAX_CONCURRENCY = 256;
const DEFAULT_RETRY_COUNT = 3;
const MAX_RETRY_COUNT = 100;

/** `sluice batch`: many requests from a file. */
export const batchCommand: LeafCommand = {
  kind: "leaf",
  name: "batch",
  summary: "ask all requests of a file, and write the answers to another",
  operands: "",
  maxOperandCount: 0,
  description:
    'Each line of the input is {"prompt": …} or a request of OpenAI\'s batches. The output has one line per request, in the order of the input. Until it is whole the results are in OUTPUT.partial; after Ctrl-C, a crash or failures, the same command with --resume asks only what has no lasting result.',
  options: {
    input: {
      type: "string",
      placeholder: "FILE",
      short: "i",
      description: "the requests, one JSON object a line",
    },
    output: { type: "string", placeholder: "FILE", short: "o", description: "where the results go" },
    concurrency: {
      type: "string",
      placeholder: "COUNT",
      description: `requests at once, 1 to ${MAX_CONCURRENCY} (default: ${DEFAULT_CONCURRENCY})`,
    },
    retries: {
      type: "string",
      placeholder: "COUNT",
      description: `how often to ask again what may succeed later, 0 to ${MAX_RETRY_COUNT} (default: ${DEFAULT_RETRY_COUNT})`,
    },
    resume: { type: "boolean", description: "go on with a batch that was stopped" },
    "retry-failed": {
      type: "boolean",
      description: "as --resume, and ask again all that failed, also what would fail again",
    },
    "list-failed": { type: "boolean", description: "ask nothing: show what failed so far" },
    ...TARGET_OPTIONS,
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice batch -i requests.jsonl -o results.jsonl", meaning: "four at a time" },
    { command: "sluice batch -i requests.jsonl -o results.jsonl --resume", meaning: "what is still missing" },
    { command: "sluice batch -o results.jsonl --list-failed", meaning: "which lines failed, and why" },
  ],
  async run(args, terminal) {
    if (args.has("list-failed")) return showFailures(args, terminal);
    const { input, output } = readFiles(args);
    const asksFailedAgain = args.has("retry-failed");
    const concurrency = readCount(args, "concurrency", 1, MAX_CONCURRENCY, DEFAULT_CONCURRENCY);
    const retryCount = readCount(args, "retries", 0, MAX_RETRY_COUNT, DEFAULT_RETRY_COUNT);
    const typed = readTargetOption(args);
    const partial = `${output}.partial`;
    const totalCount = await countInput(input);
    await checkOutput(output, partial, args.has("resume") || asksFailedAgain);
    return withCallSession(args, terminal, async ({ client, limits, report }) => {
      const { stderr, clock } = terminal;
      const target = await resolveTarget(typed, client, limits);
      if (!target.ok) return report(target.failure, "the target could not be looked up");
      const journal = await openJournal(partial);
      const bar = new ProgressBar(terminal, totalCount);
      let isSimulated = false;
      const { end, counts } = await runBatch({
        ...{ input, journal, concurrency, retryCount, asksFailedAgain, clock, signal: limits.signal },
        async ask(spec) {
          if (spec.target === undefined && target.value !== undefined) spec.target = target.value;
          const request = create(GenerateRequestSchema, { spec });
          const result = await client.unary(RouterService.method.generate, request, limits);
          if (result.ok && result.value.simulated) isSimulated = true;
          return result;
        },
        onProgress: ({ doneCount, failedCount }) =>
          bar.show(doneCount, failedCount === 0 ? "" : `${failedCount} failed`),
      }).catch((error: unknown) => abandon(journal, error));
      await bar.clear();
      if (isSimulated) await stderr.write(SIMULATION_NOTICE);
      if (end === "finished") await journal.finish(output).catch((error: unknown) => abandon(journal, error));
      else await journal.close();
      await stderr.write(`sluice: ${describeEnd(end, counts, totalCount, output)}\n`);
      if (end === "stopped") return exitCode("interrupted");
      if (end === "unreachable") return exitCode("unreachable");
      if (counts.failedCount === 0) return exitCode("ok");
      return exitCode(counts.openCount > 0 ? "tryAgain" : "failure");
    });
  },
};

/** Closes the journal, which may itself be what went wrong. */
async function abandon(journal: BatchJournal, error: unknown): Promise<never> {
  await journal.close().catch(() => undefined);
  throw error;
}

function describeEnd(end: string, counts: BatchCounts, totalCount: number, output: string): string {
  const { doneCount, failedCount, openCount } = counts;
  const failed = failedCount === 0 ? "" : `, ${failedCount} of them failed`;
  if (end === "finished") {
    const later = openCount === 0 ? "" : `; ${openCount} may succeed later, with --resume`;
    const which = failedCount === 0 ? "" : "; --list-failed shows which";
    return `${doneCount} of ${totalCount} requests are done${failed}: ${printable(output)}${later}${which}`;
  }
  const why = end === "stopped" ? "interrupted" : "the server cannot be reached";
  return `${why}: ${doneCount} of ${totalCount} requests are done${failed}; go on with --resume`;
}

/** What failed: of the journal while there is one, since it is newer, else of the output. */
async function showFailures(args: Arguments, { stdout, stderr }: Terminal): Promise<number> {
  const output = readOutput(args);
  const partial = `${output}.partial`;
  const path = (await exists(partial)) ? partial : output;
  const failures = await listFailures(path).catch((error: unknown) => {
    throw new UsageError(`--output "${printable(path)}" cannot be read: ${describeSystemError(error)}.`);
  });
  if (failures.length > 0)
    await stdout.write(failures.map((each) => `${describeFailedLine(each)}\n`).join(""));
  else await stderr.write(`sluice: nothing failed: ${printable(path)}\n`);
  return exitCode(failures.length > 0 ? "failure" : "ok");
}

function readOutput(args: Arguments): string {
  const output = args.text("output");
  if (output === undefined || output === "")
    throw new UsageError("--output is missing: the file for the results.");
  return output;
}

function readFiles(args: Arguments): { readonly input: string; readonly output: string } {
  const input = args.text("input");
  if (input === undefined || input === "")
    throw new UsageError("--input is missing: the file with the requests.");
  const output = readOutput(args);
  if (input === output) throw new UsageError("--input and --output are the same file.");
  return { input, output };
}

/** Nothing that exists is overwritten. A whole output becomes the journal again when it is resumed. */
async function checkOutput(output: string, partial: string, isResumed: boolean): Promise<void> {
  const [hasOutput, hasPartial] = await Promise.all([output, partial].map(exists));
  if (!isResumed && (hasOutput || hasPartial)) {
    const name = hasOutput ? output : partial;
    throw new UsageError(
      `"${printable(name)}" is there already. Go on with --resume, or name another output.`,
    );
  }
  if (isResumed && hasOutput && !hasPartial) {
    // A copy that is cut short must not pass for the journal: what it lacks would be asked again.
    const draft = `${partial}.writing`;
    await copyFile(output, draft);
    await rename(draft, partial);
  }
}

async function countInput(input: string): Promise<number> {
  const cannot = (why: string) => new UsageError(`--input "${printable(input)}" cannot be read: ${why}.`);
  try {
    // It is read twice, and again when the batch is resumed.
    const found = await stat(input);
    if (found.isFile() || found.isDirectory()) return await countRequests(input);
  } catch (error) {
    throw cannot(describeSystemError(error));
  }
  throw cannot("it is a pipe or a device; right would be a file");
}

async function openJournal(partial: string): Promise<BatchJournal> {
  return BatchJournal.open(partial).catch((error: unknown) => {
    throw new UsageError(
      `--output: "${printable(partial)}" cannot be written: ${describeSystemError(error)}.`,
    );
  });
}

async function exists(path: string | undefined): Promise<boolean> {
  return access(path ?? "").then(
    () => true,
    () => false,
  );
}

function readCount(args: Arguments, option: string, min: number, max: number, byDefault: number): number {
  const text = args.text(option);
  if (text === undefined) return byDefault;
  const count = text === "0" ? 0 : parseCountOption(option, text);
  if (count < min || count > max) throw new UsageError(`--${option} must be ${min} to ${max}.`);
  return count;
}
