import type { LoadResult } from "../../config/load-config.ts";
import { COMMON_OPTIONS } from "../call-options.ts";
import type { CommandGroup, LeafCommand } from "../command.ts";
import { describeConfig, redactConfig, renderProblem } from "../config-report.ts";
import { exitCode } from "../exit-code.ts";
import type { OptionSpecs } from "../option-spec.ts";
import type { Arguments } from "../parse-arguments.ts";
import { printable } from "../printable-text.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

const FILE_OPTIONS: OptionSpecs = {
  config: { type: "string", placeholder: "FILE", short: "c", description: "the same as the operand" },
  ...COMMON_OPTIONS,
};

const WHICH_FILE =
  "Without a file it takes the one of SLUICE_CONFIG, else ./sluice.yaml where there is one, else what is built in.";

const validateCommand: LeafCommand = {
  kind: "leaf",
  name: "config validate",
  summary: "check a configuration and print every problem",
  operands: "[file]",
  maxOperandCount: 1,
  description: `${WHICH_FILE} Variables must be set as they are for the server.`,
  options: { json: { type: "boolean", description: "print the result as JSON" }, ...FILE_OPTIONS },
  examples: [
    { command: "sluice config validate sluice.yaml", meaning: "before a deployment" },
    { command: "sluice config validate --json", meaning: "for a script" },
  ],
  async run(args, terminal) {
    const { stdout, stderr } = terminal;
    const result = await load(args, terminal);
    if (args.has("json")) {
      const { ok, file } = result;
      const report = ok ? { ok, file, notices: result.notices } : { ok, file, problems: result.problems };
      await stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      return exitCode(ok ? "ok" : "badConfig");
    }
    if (!result.ok) return reportProblems(result.problems, terminal);
    for (const notice of result.notices) await stderr.write(`sluice: ${printable(notice)}\n`);
    const name = printable(result.file ?? "the built-in configuration");
    await stdout.write(`${name} is valid: ${describeConfig(result.config)}\n`);
    return exitCode("ok");
  },
};

const printCommand: LeafCommand = {
  kind: "leaf",
  name: "config print",
  summary: "print the configuration in effect, without secrets",
  operands: "[file]",
  maxOperandCount: 1,
  description: `${WHICH_FILE} Prints JSON with every default filled in; times are in milliseconds, prices in billionths of a US dollar.`,
  options: FILE_OPTIONS,
  examples: [{ command: "sluice config print sluice.yaml", meaning: "what the server would run with" }],
  async run(args, terminal) {
    const result = await load(args, terminal);
    if (!result.ok) return reportProblems(result.problems, terminal);
    await terminal.stdout.write(`${redactConfig(result.config)}\n`);
    return exitCode("ok");
  },
};

const schemaCommand: LeafCommand = {
  kind: "leaf",
  name: "config schema",
  summary: "print the JSON Schema of the configuration file",
  operands: "",
  maxOperandCount: 0,
  description: "Editors check and complete sluice.yaml with it.",
  options: COMMON_OPTIONS,
  examples: [{ command: "sluice config schema > sluice.schema.json", meaning: "for an editor" }],
  async run(_args, terminal) {
    const { configJsonSchema } = await import("../../config/schema/json-schema.ts");
    await terminal.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return exitCode("ok");
  },
};

const pathCommand: LeafCommand = {
  kind: "leaf",
  name: "config path",
  summary: "print which file the server would read",
  operands: "",
  maxOperandCount: 0,
  description: "Prints nothing on standard output when there is no file and what is built in is used.",
  options: COMMON_OPTIONS,
  examples: [{ command: "sluice config path", meaning: "sluice.yaml, most of the time" }],
  async run(_args, terminal) {
    const { loadConfig } = await import("../../config/load-config.ts");
    const { file } = loadConfig({ env: terminal.env });
    if (file === undefined) await terminal.stderr.write("sluice: no file: what is built in is used\n");
    else await terminal.stdout.write(`${file}\n`);
    return exitCode("ok");
  },
};

/** `sluice config`: looks at configurations; never changes one and never calls a server. */
export const configCommand: CommandGroup = {
  kind: "group",
  name: "config",
  summary: "check or print the configuration, its schema or its path",
  commands: [validateCommand, printCommand, schemaCommand, pathCommand],
  examples: validateCommand.examples,
};

async function load(args: Arguments, { env }: Terminal): Promise<LoadResult> {
  const [operand] = args.operands;
  const option = args.text("config");
  if (operand !== undefined && option !== undefined) throw new UsageError("The file was given twice.");
  const file = operand ?? option;
  // Loaded here only: the schema library would slow the start of every other command.
  const { loadConfig } = await import("../../config/load-config.ts");
  return loadConfig(file === undefined ? { env } : { file, env });
}

async function reportProblems(
  problems: Extract<LoadResult, { ok: false }>["problems"],
  { stderr }: Terminal,
): Promise<number> {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map(renderProblem);
  await stderr.write(`sluice: the configuration has ${count}:\n${lines.join("\n")}\n`);
  return exitCode("badConfig");
}
