import type { Config, OpenAiProviderConfig, RoutingConfig, ServerConfig } from "../../src/config/config.ts";
import { DEFAULT_SERVER_LIMITS } from "../../src/config/server-limits.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { Sharing } from "../../src/main/build-fleet.ts";
import { startSluice } from "../../src/main.ts";
import { CANARIES, refuseCanaries } from "./canaries.ts";
import { sampleRouting } from "./router-bench.ts";
import { sampleModel } from "./sample-catalog.ts";
import { MemoryLogger } from "./start-test-server.ts";

/** The catalog model that test Sluices serve. Its deployments are `<provider>/relay`. */
export const MODEL = "relay";

/** What a test may want to differ from the ordinary. */
export interface SluiceChanges {
  readonly server?: Partial<ServerConfig>;
  readonly provider?: Partial<Pick<OpenAiProviderConfig, "maxConnections" | "connectTimeoutMs">>;
  readonly routing?: Partial<Omit<RoutingConfig, "timeouts" | "breaker">>;
  readonly timeouts?: Partial<RoutingConfig["timeouts"]>;
  readonly breaker?: Partial<Omit<CountingPreset, "kind">>;
  /** How it reaches other replicas; alone unless given. */
  readonly sharing?: Sharing;
  readonly alerts?: Config["alerts"];
}

type CountingPreset = Extract<RoutingConfig["breaker"], { kind: "counting" }>;

const COUNTING: CountingPreset = {
  kind: "counting",
  failureThreshold: 3,
  recoveryTimeMs: 10_000,
  halfOpenRequests: 1,
};

/** A whole Sluice on a free port of 127.0.0.1. */
export interface TestSluice {
  readonly port: number;
  /** Of the admin address, where `server` of the changes has one. */
  readonly adminPort: number | undefined;
  /** `http://127.0.0.1:<port>`. */
  readonly baseUrl: string;
  readonly logger: MemoryLogger;
  /** Drains it, closes what it holds upstream, and throws when a canary is in its log. */
  stop(): Promise<void>;
}

/**
 * Starts Sluice in this process, on the machine's clock, with one model that the
 * given model servers serve in this order: provider name to base URL. The providers'
 * key is a canary, and the FakeUpstream insists that prompts hold one too.
 */
export async function startSluiceOver(
  baseUrls: Readonly<Record<string, string>>,
  changes: SluiceChanges = {},
): Promise<TestSluice> {
  const logger = new MemoryLogger();
  const sluice = await startSluice(makeConfig(baseUrls, changes), {
    clock: systemClock,
    random: systemRandom,
    logger,
    sharing: changes.sharing,
  });
  const { port } = sluice.address;
  const stop = async () => {
    await sluice.stop();
    refuseCanaries("the log", JSON.stringify(logger.lines));
  };
  const adminPort = sluice.adminAddress?.port;
  return { port, adminPort, baseUrl: `http://127.0.0.1:${port}`, logger, stop };
}

function makeConfig(baseUrls: Readonly<Record<string, string>>, changes: SluiceChanges): Config {
  const model = sampleModel(MODEL, {
    providers: Object.keys(baseUrls),
    price: { inputNanoUsd: 1_000_000_000, outputNanoUsd: 2_000_000_000 },
  });
  const plain = sampleRouting([model], { failureThreshold: 3, maxWaitingAttempts: 16 });
  return {
    ...plain,
    alerts: changes.alerts,
    server: {
      address: { host: "127.0.0.1", port: 0 },
      adminAddress: undefined,
      tls: undefined,
      adminTls: false,
      reflection: true,
      maxRequestBytes: 1024 * 1024,
      maxHeaderBytes: 16 * 1024,
      defaultTimeoutMs: 10_000,
      defaultStreamTimeoutMs: 10_000,
      maxTimeoutMs: 60_000,
      drainDelayMs: 0,
      drainTimeoutMs: 1_000,
      limits: DEFAULT_SERVER_LIMITS,
      ...changes.server,
    },
    providers: Object.entries(baseUrls).map(([name, baseUrl]) => ({
      kind: "openai",
      name,
      baseUrl,
      apiKey: new Secret(CANARIES.providerKey),
      maxConnections: 256,
      connectTimeoutMs: 1_000,
      ...changes.provider,
    })),
    routing: {
      ...plain.routing,
      ...changes.routing,
      timeouts: { firstTokenMs: 5_000, idleMs: 5_000, totalMs: 10_000, ...changes.timeouts },
      breaker: { ...COUNTING, ...changes.breaker },
    },
    telemetry: { logLevel: "debug" },
  };
}
