/** The servers of the demo, all in this process and on loopback: one Sluice in front, and simulations behind it. */

import { loadConfig } from "../../config/load-config.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Clock, Logger } from "../../domain/ports.ts";
import { systemRandom } from "../../lib/random.ts";

/** The one model that every provider of the demo serves. */
export const DEMO_MODEL = "demo";

/** A Sluice of the demo. */
export interface DemoServer {
  readonly port: number;
  /** Ends the answers under way, takes no new ones, and closes the port. */
  stop(): Promise<void>;
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const SIMULATION = `
providers:
  simulation: { kind: simulator, time_to_first_token: 60ms, tokens_per_second: 200, output_tokens: 30 }
models:
  - name: ${DEMO_MODEL}
    context_window_tokens: 8192
    max_output_tokens: 1024
    deployments: [{ provider: simulation }]
`;

/** Starts a provider: a Sluice whose model is a simulation, called over HTTP through its OpenAI door. Port 0 takes a free one. */
export function startDemoProvider(port: number, clock: Clock): Promise<DemoServer> {
  return startDemoServer(SIMULATION, port, clock);
}

/** Starts the Sluice in front of the providers, by name and port. */
export function startDemoFront(ports: Readonly<Record<string, number>>, clock: Clock): Promise<DemoServer> {
  const names = Object.keys(ports);
  const text = [
    "providers:",
    ...names.map((name) => `  ${name}: { kind: openai, base_url: "http://127.0.0.1:${ports[name]}/v1" }`),
    "models:",
    `  - name: ${DEMO_MODEL}`,
    "    context_window_tokens: 8192",
    "    max_output_tokens: 1024",
    `    deployments: [${names.map((name) => `{ provider: ${name} }`).join(", ")}]`,
    // In turn, so that each provider has its share from the first second on.
    "pools:",
    `  in_turn: { members: [${DEMO_MODEL}], rotation: round_robin, fallback: { max_instance_attempts: 3 } }`,
    "defaults: { target: in_turn }",
  ].join("\n");
  return startDemoServer(text, 0, clock);
}

async function startDemoServer(text: string, port: number, clock: Clock): Promise<DemoServer> {
  const loaded = loadConfig({
    file: "demo.yaml",
    env: {},
    overrides: { address: `127.0.0.1:${port}`, adminAddress: "off" },
    files: {
      readText: (path) => (path.endsWith("demo.yaml") ? { kind: "text", text } : { kind: "missing" }),
    },
  });
  if (!loaded.ok)
    throw new Error(`the demo's configuration: ${loaded.problems.map(formatProblem).join("; ")}`);
  // Loaded here only: the other commands need nothing of the server and start faster without it.
  const { startSluice } = await import("../../main.ts");
  const sluice = await startSluice(loaded.config, { clock, random: systemRandom, logger: SILENT });
  return { port: sluice.address.port, stop: () => sluice.stop() };
}
