import { COMMON_OPTIONS } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { parseWordOption } from "../option-value.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** `sluice serve`: the server itself. */
export const serveCommand: LeafCommand = {
  kind: "leaf",
  name: "serve",
  summary: "run the server",
  operands: "",
  maxOperandCount: 0,
  description:
    "Without a configuration file and without a key it runs the built-in models as a simulation. SIGTERM and Ctrl-C let calls under way end first.",
  options: {
    config: {
      type: "string",
      placeholder: "FILE",
      short: "c",
      description: "the configuration (default: SLUICE_CONFIG, else ./sluice.yaml where there is one)",
    },
    address: {
      type: "string",
      placeholder: "HOST:PORT",
      description: "where callers connect; port 0 takes a free one",
    },
    "admin-address": {
      type: "string",
      placeholder: "HOST:PORT|off",
      description: "where Prometheus and operators connect",
    },
    "log-level": { type: "string", placeholder: "WORD", description: LOG_LEVELS.join(", ") },
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice serve", meaning: "on 127.0.0.1:50051, with what is built in" },
    { command: "GLM_API_KEY=… sluice serve", meaning: "the same models at the real provider" },
    { command: "sluice serve --config sluice.yaml --address 0.0.0.0:50051", meaning: "with a configuration" },
  ],
  async run(args, terminal) {
    const configFile = args.text("config");
    const address = args.text("address");
    const adminAddress = args.text("admin-address");
    const level = args.text("log-level");
    const logLevel = level === undefined ? undefined : parseWordOption("log-level", level, LOG_LEVELS);
    // Loaded here only: the client commands need nothing of the server and start faster without it.
    const { serve } = await import("../../main.ts");
    return serve({
      env: { ...terminal.env },
      ...(configFile === undefined ? {} : { configFile }),
      overrides: {
        ...(address === undefined ? {} : { address }),
        ...(adminAddress === undefined ? {} : { adminAddress }),
        ...(logLevel === undefined ? {} : { logLevel }),
      },
    });
  },
};
