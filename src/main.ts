/** The composition root: names every concrete part, and with the command line is the only place that touches the process. */

import { readFileSync } from "node:fs";
import { file_sluice_v1_generation } from "../gen/sluice/v1/generation_pb.ts";
import { RouterService } from "../gen/sluice/v1/router_service_pb.ts";
import { openCallerAuth } from "./auth/caller-auth.ts";
import type { Address, Config } from "./config/config.ts";
import { loadConfig } from "./config/load-config.ts";
import { formatProblem } from "./config/problem.ts";
import type { Clock, Logger, Random } from "./domain/ports.ts";
import { systemClock } from "./lib/clock.ts";
import { systemRandom } from "./lib/random.ts";
import { buildFleet, type Sharing } from "./main/build-fleet.ts";
import { buildRouting } from "./main/build-routing.ts";
import { describeModels } from "./main/describe-models.ts";
import { openSharing } from "./main/open-sharing.ts";
import { probeModels } from "./main/probe-models.ts";
import { createOpenAiDoor } from "./openai/openai-door.ts";
import { buildProviders } from "./providers/build-providers.ts";
import { nameContractImage, nameOpenAiImage, refuseImageUrls } from "./router/refuse-image-urls.ts";
import type { RouteObserver } from "./router/settle.ts";
import { ServingState } from "./server/health/serving-state.ts";
import { nameMethod } from "./server/rpc/method-name.ts";
import { startServer } from "./server/start-server.ts";
import { adminMethods } from "./service/admin-methods.ts";
import { adviceMethods } from "./service/advice-methods.ts";
import { encodeError } from "./service/encode-error.ts";
import { historyMethods } from "./service/history-methods.ts";
import { metricsMethods } from "./service/metrics-methods.ts";
import { modelMethods } from "./service/model-methods.ts";
import { generationMethods } from "./service/router-methods.ts";
import { testModelsMethods } from "./service/test-models-methods.ts";
import { CallMemory } from "./telemetry/call-memory.ts";
import { createLogger } from "./telemetry/logger.ts";
import { PrometheusMetrics } from "./telemetry/prometheus.ts";
import { RouteTelemetry } from "./telemetry/route-telemetry.ts";

/** A Sluice that takes calls. */
export interface RunningSluice {
  readonly address: Address;
  readonly adminAddress: Address | undefined;
  /** Reads callers' keys and the server's certificates again. Never rejects: what cannot be used is logged, and the old stays. */
  reload(): Promise<void>;
  /** Asks providers whether they have their models; those that are missing are set aside. Never rejects. */
  probeModels(): Promise<void>;
  /** Drains the server, then closes the providers. Resolves when nothing is open. */
  stop(): Promise<void>;
}

/** What a Sluice needs of the machine. */
export interface MachinePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How it reaches other replicas; undefined leaves it alone. */
  readonly sharing?: Sharing | undefined;
}

/** Builds everything for one configuration and starts serving. Rejects when an address cannot be bound. */
export async function startSluice(
  config: Config,
  { clock, random, logger, sharing }: MachinePorts,
): Promise<RunningSluice> {
  const { models } = config;
  const auth = config.auth && (await openCallerAuth(config.auth, { clock, logger }));
  const providers = buildProviders(config.providers, { clock, random, userAgent: `sluice/${readVersion()}` });
  const routing = buildRouting(config, { clock, random, providers, replicaId: sharing?.replicaId });
  const fleet = buildFleet(routing, sharing, config.alerts, {
    clock,
    random,
    logger,
    version: readVersion(),
  });
  const prometheus = new PrometheusMetrics(fleet.metrics);
  const telemetry = new RouteTelemetry(logger, prometheus);
  const calls = new CallMemory(clock);
  routing.observe(observeBoth(telemetry, fleet.observer, calls));
  routing.deployments.onBreakerChange((deployment, state) => {
    telemetry.onBreakerChange(deployment, state);
    fleet.onBreakerChange(deployment, state);
  });
  const isRefusingUrls = config.images?.urls === "refuse";
  const closeParts = async () => {
    auth?.close();
    await fleet.close();
    await Promise.all([...providers.values()].map((provider) => provider.close()));
    routing.close();
  };
  // Whoever calls finds a replica that knows what the others know.
  await fleet.joined;
  const server = await startServer({
    config: config.server,
    methods: [
      ...generationMethods(
        isRefusingUrls ? refuseImageUrls(routing.router, nameContractImage) : routing.router,
      ),
      ...metricsMethods(
        fleet.metrics,
        models.map(({ name }) => name),
        clock,
      ),
      ...modelMethods(models),
      ...adviceMethods(routing.advisor, routing.metrics),
      ...testModelsMethods(
        routing.router,
        models.map(({ name }) => name),
        clock,
      ),
    ],
    doors: [
      createOpenAiDoor({
        router: isRefusingUrls ? refuseImageUrls(routing.router, nameOpenAiImage) : routing.router,
        models,
        targets: config.targets,
        clock,
        random,
      }),
    ],
    files: [file_sluice_v1_generation],
    admission: auth,
    corsOrigins: config.cors?.origins,
    readiness: new ServingState(true),
    describeHealth: () => fleet.describe(),
    clock,
    logger,
    encodeError,
    adminMethods: [...adminMethods(routing.operations), ...historyMethods(calls)],
    metrics: { contentType: prometheus.contentType, render: () => prometheus.text() },
    endlessMethods: [nameMethod(RouterService.method.watchMetrics)],
  }).catch(async (error: unknown) => {
    await closeParts();
    throw error;
  });
  return {
    address: server.address,
    adminAddress: server.adminAddress,
    async reload() {
      await auth?.reload();
      await server.reloadCertificates().catch((error: unknown) => {
        logger.error("the certificates cannot be reloaded: the ones read before stay in use", {
          error: error instanceof Error ? error.message : String(error),
        });
      });
    },
    probeModels: () => {
      const asked = config.providers.filter(
        (provider) => provider.kind !== "simulator" && provider.probe !== false,
      );
      const names = new Set(asked.map(({ name }) => name));
      return probeModels({
        providers: new Map([...providers].filter(([name]) => names.has(name))),
        deployments: models.flatMap((model) => model.deployments),
        logger,
        setAside: (deployment) => routing.setAside(deployment),
      });
    },
    async stop() {
      fleet.announceDraining();
      await server.drain();
      await closeParts();
    },
  };
}

function observeBoth(first: RouteObserver, second: RouteObserver, calls: CallMemory): RouteObserver {
  return {
    onAttemptStart(deployment) {
      first.onAttemptStart?.(deployment);
      second.onAttemptStart?.(deployment);
    },
    onAttemptEnd(record, requestId, traceparent) {
      first.onAttemptEnd(record, requestId, traceparent);
      second.onAttemptEnd(record, requestId, traceparent);
      calls.record(record, requestId);
    },
    onRequestEnd(requestId, attempts, error) {
      first.onRequestEnd(requestId, attempts, error);
      second.onRequestEnd(requestId, attempts, error);
    },
  };
}

/** Where `serve` finds its settings. */
export interface ServeOptions {
  readonly configFile?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly overrides: {
    readonly address?: string;
    readonly adminAddress?: string;
    readonly logLevel?: string;
  };
}

/** sysexits.h EX_CONFIG, EX_UNAVAILABLE and EX_SOFTWARE. */
const EXIT_CONFIG = 78;
const EXIT_UNAVAILABLE = 69;
const EXIT_BUG = 70;

/**
 * Serves until SIGTERM or SIGINT, then drains. Resolves with the exit code: 0 after a
 * drain, 69 when an address cannot be bound, 78 when the configuration is wrong. Logs
 * go to standard error, the ready lines to standard output.
 */
export async function serve(options: ServeOptions): Promise<number> {
  const loaded = loadConfig({ file: options.configFile, env: options.env, overrides: options.overrides });
  if (!loaded.ok) {
    for (const problem of loaded.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    return EXIT_CONFIG;
  }
  const { config } = loaded;
  const logger = createLogger(config.telemetry.logLevel, process.stderr);
  crashOnBugs(logger);
  const stopped = awaitStopSignal(logger);
  const machine = { clock: systemClock, random: systemRandom, logger };
  const sharing = config.nats && openSharing(config.nats, machine);
  let sluice: RunningSluice;
  try {
    sluice = await startSluice(config, { ...machine, sharing });
  } catch (error) {
    await sharing?.bus.close();
    logger.error("cannot start", { error: error instanceof Error ? error.message : String(error) });
    return EXIT_UNAVAILABLE;
  }
  // The usual signal for "read your files again"; without a listener it would end the process.
  process.on("SIGHUP", () => void sluice.reload());
  process.stdout.write(describeReady(config, sluice, loaded.notices));
  // Nobody waits for it: callers are served meanwhile.
  void sluice.probeModels();
  await stopped;
  await sluice.stop();
  logger.info("stopped");
  return 0;
}

/** Resolves at the first signal; a second one ends the process at once. */
function awaitStopSignal(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    let signalled = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (signalled) process.exit(signal === "SIGINT" ? 130 : 143);
        signalled = true;
        logger.info("stopping", { signal });
        resolve();
      });
    }
  });
}

/** An exception that nobody caught is a bug; what it left behind cannot be trusted, so the process ends. */
function crashOnBugs(logger: Logger): void {
  process.on("uncaughtException", (error) => {
    logger.error("a bug: uncaught exception", { error: error.stack ?? String(error) });
    process.exit(EXIT_BUG);
  });
}

function describeReady(config: Config, sluice: RunningSluice, notices: readonly string[]): string {
  const { host, port } = sluice.address;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const scheme = config.server.tls === undefined ? "http" : "https";
  const client = config.server.tls === undefined ? "" : "--tls ";
  const admin = sluice.adminAddress;
  return [
    `Sluice ${readVersion()} is ready on ${address} with ${config.models.length} models.`,
    ...notices,
    "",
    ...describeModels(config.models),
    "",
    "Call it:",
    `  gRPC         npx sluice stream ${client}--server ${address} "Why is the sky blue?"`,
    `  OpenAI API   curl -N ${scheme}://${address}/v1/chat/completions -H 'content-type: application/json' -d '{"model":"auto","stream":true,"messages":[{"role":"user","content":"Hello"}]}'`,
    `  Connect      curl ${scheme}://${address}/sluice.v1.RouterService/Generate -H 'content-type: application/json' -d '{"spec":{"messages":[{"role":"ROLE_USER","parts":[{"text":"Hello"}]}]}}'`,
    ...(admin === undefined ? [] : ["", `Metrics: http://${admin.host}:${admin.port}/metrics`]),
    "",
  ].join("\n");
}

/** The version of package.json, which lies one folder up from the sources and two from what is compiled. */
function readVersion(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
      if (name === "sluice") return version;
    } catch {
      // Not there; the next place is tried.
    }
  }
  return "unknown";
}
