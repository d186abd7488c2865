import type { ConfigFiles } from "../../../src/config/config-files.ts";
import { loadConfig } from "../../../src/config/load-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { startSluice } from "../../../src/main.ts";
import { CANARIES, refuseCanaries } from "../../support/canaries.ts";
import { MemoryLogger } from "../../support/start-test-server.ts";

/** A whole Sluice over three model servers. */
export interface GridSluice {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly baseUrl: string;
  stop(): Promise<void>;
}

/** What a point of the grid may want to differ, as lines of the file. */
export interface GridChanges {
  /** What requests are for: one of the names below. */
  readonly target: "first" | "main" | "delayed";
  readonly bestOfTwo?: boolean;
  readonly retries?: boolean;
  readonly hedges?: boolean;
}

/** The models `first`, `second` and `third`, each at a provider of its own; `first` takes one attempt at a time. */
export async function startGridSluice(baseUrl: string, changes: GridChanges): Promise<GridSluice> {
  const { target, bestOfTwo = false, retries = false, hedges = false } = changes;
  const names = ["first", "second", "third"];
  const text = `
server: { address: "127.0.0.1:0", drain_timeout: 5s }
providers:
${names.map((name) => `  ${name}-house: { kind: openai, base_url: "${baseUrl}", api_key: "${CANARIES.providerKey}" }`).join("\n")}
models:
${names
  .map(
    (name) => `
  - name: ${name}
    context_window_tokens: 100000
    max_output_tokens: 1000
    deployments: [{ provider: ${name}-house${name === "first" ? ", concurrency_limit: 1" : ""} }]`,
  )
  .join("\n")}
groups:
  delayed:
    echelon1: { models: [first] }
    echelon2: { models: [second] }
    fallback: { strategy: echelon_down, max_attempts: 2, retry_delay: 5s }
chains:
  main:
    roles: { primary: [first, second], duplicate: [third] }
    strategy: ${bestOfTwo ? "best_of_two" : "single"}
defaults: { target: ${target} }
routing:
  timeouts: { first_token: 20s, idle: 20s, total: 30s }
  retry: { max_retries: ${retries ? 1 : 0}, base_delay: 5s, jitter: 0 }
  hedging: { enabled: ${hedges}, min_delay: 20ms }
  budgets: { retry_ratio: 1, hedge_ratio: 1 }
`;
  const files: ConfigFiles = {
    readText: (path) => (path.endsWith("grid.yaml") ? { kind: "text", text } : { kind: "missing" }),
  };
  const loaded = loadConfig({ file: "grid.yaml", env: {}, folder: "/", files });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const logger = new MemoryLogger();
  const sluice = await startSluice(loaded.config, {
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  const { port } = sluice.address;
  const stop = async () => {
    await sluice.stop();
    refuseCanaries("the log", JSON.stringify(logger.lines));
  };
  return { port, baseUrl: `http://127.0.0.1:${port}`, stop };
}
