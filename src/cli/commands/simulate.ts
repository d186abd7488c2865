import { loadSimulation, type SimulationConfig } from "../../config/load-simulation.ts";
import type { Distribution, FaultKind } from "../../domain/simulation.ts";
import { systemRandom } from "../../lib/random.ts";
import type { SimulationSettings } from "../../simulator-server/simulation-settings.ts";
import { COMMON_OPTIONS } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { renderProblem } from "../config-report.ts";
import { exitCode } from "../exit-code.ts";
import { parseBindAddress } from "../listen-address.ts";
import type { OptionSpecs } from "../option-spec.ts";
import {
  parseCountOption,
  parseDurationOption,
  parseNumberOption,
  parseRatioOption,
} from "../option-value.ts";
import type { Arguments } from "../parse-arguments.ts";
import { describeSystemError } from "../system-error.ts";
import { UsageError } from "../usage-error.ts";

const DEFAULT_ADDRESS = "127.0.0.1:8089";

/** Options that set the share of one fault. */
const RATIO_OPTIONS: Readonly<Record<string, FaultKind>> = {
  "failure-ratio": "server_error",
  "hang-ratio": "hang",
  "cut-ratio": "cut",
};

const OPTIONS: OptionSpecs = {
  address: {
    type: "string",
    placeholder: "HOST:PORT",
    description: `where clients connect (default: ${DEFAULT_ADDRESS}); port 0 takes a free one`,
  },
  config: {
    type: "string",
    placeholder: "FILE",
    short: "c",
    description: "the behaviour; see docs/simulator.md",
  },
  "time-to-first-token": {
    type: "string",
    placeholder: "TIME",
    description: "always this long (default: 200ms)",
  },
  "tokens-per-second": {
    type: "string",
    placeholder: "NUMBER",
    description: "after the first token; 0 sends all at once (default: 50)",
  },
  "output-tokens": { type: "string", placeholder: "COUNT", description: "of an answer (default: 120)" },
  "failure-ratio": {
    type: "string",
    placeholder: "SHARE",
    description: "the share of requests that get an error 500",
  },
  "hang-ratio": { type: "string", placeholder: "SHARE", description: "the share that is never answered" },
  "cut-ratio": {
    type: "string",
    placeholder: "SHARE",
    description: "the share that breaks off in the middle",
  },
  "requests-per-minute": { type: "string", placeholder: "COUNT", description: "the limit of each model" },
  "tokens-per-minute": { type: "string", placeholder: "COUNT", description: "the limit of each model" },
  seed: { type: "string", placeholder: "COUNT", description: "make what is drawn repeatable" },
  ...COMMON_OPTIONS,
};

/** `sluice simulate`: a model server without a model. */
export const simulateCommand: LeafCommand = {
  kind: "leaf",
  name: "simulate",
  summary: "run a simulated model server, to test against",
  operands: "",
  maxOperandCount: 0,
  description:
    "Speaks the HTTP dialects of OpenAI, GLM, OpenRouter, Anthropic and Ollama. No language model answers, and every answer says so. GET /books tells what was served. Options win over the file.",
  options: OPTIONS,
  examples: [
    { command: "sluice simulate", meaning: `on ${DEFAULT_ADDRESS}, without faults` },
    { command: "sluice simulate --cut-ratio 5% --seed 7", meaning: "one in twenty answers breaks off" },
    { command: "sluice simulate --config simulation.yaml", meaning: "with a schedule of faults" },
  ],
  async run(args, terminal) {
    const { stdout, stderr, clock } = terminal;
    const address = parseBindAddress("address", args.text("address") ?? DEFAULT_ADDRESS);
    const file = args.text("config");
    const loaded = file === undefined ? undefined : loadSimulation(file, terminal.env);
    if (loaded?.ok === false) {
      await stderr.write(`sluice: ${file} is wrong:\n${loaded.problems.map(renderProblem).join("\n")}\n`);
      return exitCode("badConfig");
    }
    // Loaded here only: the client commands need nothing of the server and start faster without it.
    const { startSimulator } = await import("../../simulator-server/start-simulator.ts");
    const { DEFAULT_SIMULATION } = await import("../../simulator-server/simulation-settings.ts");
    const settings = applyOptions(applyFile(DEFAULT_SIMULATION, loaded?.config), args);
    const started = await startSimulator(settings, address, { clock, random: systemRandom }).catch(
      (error: unknown) => describeSystemError(error),
    );
    if (typeof started === "string") {
      await stderr.write(`sluice: cannot listen on ${address.host}:${address.port}: ${started}\n`);
      return exitCode("unreachable");
    }
    const host = started.host.includes(":") ? `[${started.host}]` : started.host;
    const url = `http://${host}:${started.port}`;
    const interrupted = Promise.withResolvers<void>();
    const stopListening = terminal.onInterrupt(interrupted.resolve);
    try {
      await stdout.write(
        [
          `The simulator is ready on ${host}:${started.port}. No language model answers here.`,
          `  OpenAI     ${url}/v1`,
          `  GLM        ${url}/api/paas/v4`,
          `  OpenRouter ${url}/api/v1`,
          `  Anthropic  ${url}`,
          `  Ollama     ${url}`,
          `  Books      ${url}/books`,
          "",
        ].join("\n"),
      );
      await interrupted.promise;
    } finally {
      stopListening();
      await started.close();
    }
    return exitCode("ok");
  },
};

function applyFile(base: SimulationSettings, file: SimulationConfig | undefined): SimulationSettings {
  if (file === undefined) return base;
  return {
    ...file,
    timeToFirstToken: file.timeToFirstToken ?? base.timeToFirstToken,
    tokensPerSecond: file.tokensPerSecond ?? base.tokensPerSecond,
    outputTokens: file.outputTokens ?? base.outputTokens,
    price: file.price ?? base.price,
  };
}

function applyOptions(base: SimulationSettings, args: Arguments): SimulationSettings {
  const firstToken = args.text("time-to-first-token");
  const pace = args.text("tokens-per-second");
  const output = readCount(args, "output-tokens");
  const seed = args.text("seed");
  const given = Object.entries(RATIO_OPTIONS).flatMap(([option, kind]): [FaultKind, number][] => {
    const text = args.text(option);
    return text === undefined ? [] : [[kind, parseRatioOption(option, text)]];
  });
  const faultRatios = { ...base.faultRatios, ...Object.fromEntries(given) };
  if (Object.values(faultRatios).reduce((sum, share) => sum + share, 0) > 1 + 1e-9) {
    throw new UsageError("The shares of faults are more than 1 together.");
  }
  return {
    ...base,
    ...(firstToken === undefined ? {} : { timeToFirstToken: fix(readLatency(firstToken)) }),
    ...(pace === undefined ? {} : { tokensPerSecond: fix(parseNumberOption("tokens-per-second", pace)) }),
    ...(output === undefined ? {} : { outputTokens: fix(output) }),
    ...(seed === undefined ? {} : { seed: parseCountOption("seed", seed) }),
    faultRatios,
    quota: {
      requestsPerMinute: readCount(args, "requests-per-minute") ?? base.quota.requestsPerMinute,
      tokensPerMinute: readCount(args, "tokens-per-minute") ?? base.quota.tokensPerMinute,
    },
  };
}

function readCount(args: Arguments, option: string): number | undefined {
  const text = args.text(option);
  return text === undefined ? undefined : parseCountOption(option, text);
}

/** Here 0 is a latency as well. */
function readLatency(text: string): number {
  return /^0(ms|s)?$/.test(text) ? 0 : parseDurationOption("time-to-first-token", text);
}

function fix(value: number): Distribution {
  return { median: value, p95: value };
}
