import { writeFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import {
  ModelService,
  type ModelTest,
  ModelTestState,
  TestModelsRequestSchema,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import {
  listRecommendations,
  makeTestReport,
  renderJson,
  renderMarkdown,
  TEST_COLUMNS,
} from "../model-tests/test-report.ts";
import { parseCountOption } from "../option-value.ts";
import { printable } from "../printable-text.ts";
import { ProgressBar } from "../progress-bar.ts";
import { SIMULATION_NOTICE } from "../simulation-notice.ts";
import { describeSystemError } from "../system-error.ts";
import { chooseWidth } from "../terminal.ts";
import { renderTable } from "../text-table.ts";
import { UsageError } from "../usage-error.ts";

/** `sluice test-models`: which models work, and how fast. */
export const testModelsCommand: LeafCommand = {
  kind: "leaf",
  name: "test-models",
  summary: "ask every model a short question, and tell which work and how fast",
  operands: "",
  maxOperandCount: 0,
  description:
    "The questions are ordinary requests: they cost tokens and count in the metrics. With authentication it needs the scope admin. The exit code is 0 only if every model answered.",
  options: {
    models: {
      type: "string",
      placeholder: "NAMES",
      description: "only these, with commas between (default: all)",
    },
    concurrency: {
      type: "string",
      placeholder: "COUNT",
      description: "models at once, 1 to 64 (default: 4)",
    },
    prompt: { type: "string", placeholder: "TEXT", description: "what to ask" },
    "max-tokens": { type: "string", placeholder: "COUNT", description: "the longest answer (default: 64)" },
    markdown: { type: "string", placeholder: "FILE", description: "write the report as Markdown" },
    json: {
      type: "string",
      placeholder: "FILE",
      description: "write the report as JSON; - is standard output",
    },
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice test-models", meaning: "all models of the server's catalog" },
    { command: "sluice test-models --models glm-4.7,glm-4.6 --markdown report.md", meaning: "two of them" },
  ],
  run(args, terminal) {
    const names = (args.text("models") ?? "").split(",").map((name) => name.trim());
    const concurrency = args.text("concurrency");
    const maxTokens = args.text("max-tokens");
    const request = create(TestModelsRequestSchema, {
      models: names.filter((name) => name !== ""),
      prompt: args.text("prompt") ?? "",
      ...(concurrency === undefined
        ? {}
        : { maxConcurrentCount: parseCountOption("concurrency", concurrency) }),
      ...(maxTokens === undefined ? {} : { maxOutputTokenCount: parseCountOption("max-tokens", maxTokens) }),
    });
    return withCallSession(args, terminal, async ({ client, limits, paint, report }) => {
      const { stdout, stderr, env } = terminal;
      const tests: ModelTest[] = [];
      const running = new Set<string>();
      let bar: ProgressBar | undefined;
      const result = await client.stream(ModelService.method.testModels, request, limits, async (message) => {
        const { test, doneCount, totalCount } = message;
        bar ??= new ProgressBar(terminal, totalCount);
        if (test?.state === ModelTestState.RUNNING) running.add(test.model);
        else if (test !== undefined) {
          running.delete(test.model);
          tests.push(test);
        }
        await bar.show(doneCount, printable([...running].join(", ")));
      });
      await bar?.clear();
      if (!result.ok) return report(result.failure, bar === undefined ? undefined : "the test broke off");
      const summary = makeTestReport(tests);
      if (tests.some(({ simulated }) => simulated)) await stderr.write(SIMULATION_NOTICE);
      const markdown = args.text("markdown");
      if (markdown !== undefined) await writeReport("markdown", markdown, renderMarkdown(summary));
      const json = args.text("json");
      if (json === "-") await stdout.write(renderJson(summary));
      else {
        if (json !== undefined) await writeReport("json", json, renderJson(summary));
        const table = renderTable(TEST_COLUMNS, tests, chooseWidth(stdout, env), paint);
        const advice = listRecommendations(summary).map(printable);
        await stdout.write(`${[...table, "", ...advice].join("\n")}\n`);
      }
      return exitCode(summary.failing.length === 0 ? "ok" : "failure");
    });
  },
};

async function writeReport(option: string, file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new UsageError(
      `--${option} "${printable(file)}" cannot be written: ${describeSystemError(error)}.`,
    );
  });
}
