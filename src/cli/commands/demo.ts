import { COMMON_OPTIONS, refusesColour } from "../call-options.ts";
import { choosePaint } from "../colour.ts";
import type { LeafCommand } from "../command.ts";
import { renderReport } from "../demo/demo-report.ts";
import { DemoScreen } from "../demo/demo-screen.ts";
import { exitCode } from "../exit-code.ts";
import { parseCountOption, parseDurationOption } from "../option-value.ts";
import { UsageError } from "../usage-error.ts";

const DEFAULT_DURATION_MS = 24_000;
/** Shorter ones end before the breaker has found out that the provider is back. */
const MIN_DURATION_MS = 8_000;
const DEFAULT_RATE = 20;
const MAX_RATE = 100;

/** `sluice demo`: a provider is stopped under load, and no request fails. */
export const demoCommand: LeafCommand = {
  kind: "leaf",
  name: "demo",
  summary: "watch traffic move away from a provider that dies, and return",
  operands: "",
  maxOperandCount: 0,
  description:
    "Starts a Sluice and three providers in this process, on free ports of loopback; the providers' models are simulations. While requests come steadily, one provider is stopped and later started again. Ends by itself and prints the numbers. The exit code is 0 only if no request failed.",
  options: {
    duration: { type: "string", placeholder: "TIME", description: "how long, 8s or more (default: 24s)" },
    rate: {
      type: "string",
      placeholder: "COUNT",
      description: "requests per second, 1 to 100 (default: 20)",
    },
    json: { type: "boolean", description: "print only the numbers, as JSON" },
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice demo", meaning: "24 s, drawn live on a terminal" },
    { command: "sluice demo --duration 60s --rate 50", meaning: "longer, and more traffic" },
  ],
  async run(args, terminal) {
    const { stdout, stderr, env, clock } = terminal;
    const duration = args.text("duration");
    const durationMs =
      duration === undefined ? DEFAULT_DURATION_MS : parseDurationOption("duration", duration);
    if (durationMs < MIN_DURATION_MS)
      throw new UsageError(`--duration ${duration} is too short: 8s or more.`);
    const rate = args.text("rate");
    const requestsPerSecond = rate === undefined ? DEFAULT_RATE : parseCountOption("rate", rate);
    if (requestsPerSecond > MAX_RATE) throw new UsageError(`--rate ${rate} is too high: 1 to ${MAX_RATE}.`);
    const isJson = args.has("json");
    const paint = choosePaint(stdout, env, refusesColour(args));
    const screen = new DemoScreen(stdout, paint, `Sluice demo, SIMULATION, ${requestsPerSecond} requests/s`);
    const stopping = new AbortController();
    const stopListening = terminal.onInterrupt(() => stopping.abort());
    // Loaded here only, as by `serve`.
    const { runDemo, VICTIM } = await import("../demo/run-demo.ts");
    try {
      const report = await runDemo({
        clock,
        durationMs,
        requestsPerSecond,
        signal: stopping.signal,
        show: (record, traffic, atMs) => (isJson ? Promise.resolve() : screen.show(record, traffic, atMs)),
      });
      if (stopping.signal.aborted) {
        await stderr.write("sluice: interrupted\n");
        return exitCode("interrupted");
      }
      await stdout.write(
        isJson ? `${JSON.stringify(report)}\n` : `\n${renderReport(report, VICTIM).join("\n")}\n`,
      );
      return exitCode(report.failedCount === 0 ? "ok" : "failure");
    } finally {
      stopListening();
    }
  },
};
