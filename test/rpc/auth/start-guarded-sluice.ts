import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatKeyFile } from "../../../src/auth/key-file.ts";
import type { KeyRecord } from "../../../src/auth/key-record.ts";
import { loadConfig } from "../../../src/config/load-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import type { Clock } from "../../../src/domain/ports.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { type RunningSluice, startSluice } from "../../../src/main.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

/** A whole Sluice with the shipped logger, configured by a file as an operator would. */
export interface GuardedSluice extends RunningSluice {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, or https. */
  readonly baseUrl: string;
  /** Where the configuration and the keys file `keys.json` are. */
  readonly folder: string;
  /** Everything it logged, as it goes to standard error. */
  readLog(): string;
}

/** What a test may want to say in the file. */
export interface GuardedOptions {
  /** Base URL of the model server behind the model `relay`. */
  readonly upstream: string;
  /** The provider's key. */
  readonly providerKey?: string;
  /** The keys of callers; without them there is no `auth.keys_file`. */
  readonly keys?: readonly KeyRecord[];
  /** Further lines of `auth`, indented by two spaces. */
  readonly auth?: string;
  /** Further lines of `server`, indented by two spaces. */
  readonly server?: string;
  /** The machine's, where it is left out. */
  readonly clock?: Clock;
  /** Further sections. */
  readonly sections?: string;
}

/** Starts it on free ports of 127.0.0.1, the admin address too. */
export async function startGuardedSluice(options: GuardedOptions): Promise<GuardedSluice> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-guarded-"));
  const { keys, auth = "" } = options;
  if (keys !== undefined) await writeFile(join(folder, "keys.json"), formatKeyFile(keys), { mode: 0o600 });
  const hasAuth = keys !== undefined || auth !== "";
  const file = join(folder, "sluice.yaml");
  await writeFile(
    file,
    `
server:
  address: 127.0.0.1:0
  admin_address: 127.0.0.1:0
  max_request_bytes: 64KiB
${options.server ?? ""}
providers:
  house: { kind: openai, base_url: "${options.upstream}", api_key: "${options.providerKey ?? "provider-key"}" }
models:
  - name: relay
    context_window_tokens: 100000
    max_output_tokens: 1000
    vision: true
    deployments: [{ provider: house }]
routing:
  max_attempts: 2
  timeouts: { first_token: 150ms, idle: 150ms, total: 2s }
  # Every attempt is to reach the model server, however often it failed before.
  breaker: { failure_threshold: 1000, recovery_time: 1s }
  retry: { base_delay: 5ms, max_delay: 10ms }
${hasAuth ? `auth:\n${keys === undefined ? "" : "  keys_file: keys.json\n"}${auth}` : ""}
${options.sections ?? ""}
`,
  );
  const loaded = loadConfig({ file, env: {}, folder });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  let log = "";
  const logger = createLogger("debug", {
    write: (line: string) => {
      log += line;
    },
  });
  const { clock = systemClock } = options;
  const sluice = await startSluice(loaded.config, { clock, random: systemRandom, logger });
  const { port } = sluice.address;
  const scheme = loaded.config.server.tls === undefined ? "http" : "https";
  return {
    ...sluice,
    port,
    baseUrl: `${scheme}://127.0.0.1:${port}`,
    folder,
    readLog: () => log,
    async stop() {
      await sluice.stop();
      await rm(folder, { recursive: true });
    },
  };
}
