import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { explainMissingBuild } from "./compiled-sluice.ts";
import { listMeasures, modelName } from "./measures.ts";
import { CACHE } from "./native-binaries.ts";
import type { Door } from "./run-load.ts";

/** How to start a gateway. */
export interface Launch {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One gateway, or none, that is measured. */
export interface Contestant {
  readonly name: string;
  readonly title: string;
  /** Undefined: there is no gateway, the generator talks to the upstream itself. */
  readonly launch: ((port: number, upstreamPort: number) => Launch) | undefined;
  readonly door: (upstreamPort: number) => Door;
  /** Measures it can take part in; undefined for all. */
  readonly measures?: readonly string[];
  /** Why it cannot run here and now, or undefined when it can. */
  readonly explainAbsence?: () => string | undefined;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PORTKEY = `${ROOT}bench/node_modules/@portkey-ai/gateway/build/start-server.js`;

function launchServer(file: string): (port: number, upstreamPort: number) => Launch {
  return (port, upstreamPort) => ({
    args: [`${ROOT}bench/contestants/${file}`],
    env: { PORT: String(port), UPSTREAM: `http://127.0.0.1:${upstreamPort}` },
  });
}

/** A catalog whose models are the mock upstream's behaviours, each with one deployment. */
export function renderSluiceConfig(port: number, upstreamPort: number): string {
  const names = new Set(listMeasures(false).map((measure) => modelName(measure.upstream)));
  const models = [...names].map(
    (name) => `  - name: ${name}
    context_window_tokens: 128000
    max_output_tokens: 16000
    tiers: {speed: 1, quality: 3, cost: 1}
    price_usd_per_million_tokens: {input: "0.10", output: "0.40"}
    deployments:
      - {provider: bench, upstream_model: ${name}}`,
  );
  return `server:
  address: 127.0.0.1:${port}
  admin_address: off
  drain_timeout: 1s
providers:
  bench:
    kind: openai
    base_url: http://127.0.0.1:${upstreamPort}/v1
    max_connections: 2048
models:
${models.join("\n")}
telemetry:
  # The other contestants write no access log either.
  log_level: warn
`;
}

function launchSluice(port: number, upstreamPort: number, entry = "bin/sluice.js"): Launch {
  const file = `${CACHE}sluice.yaml`;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(file, renderSluiceConfig(port, upstreamPort));
  return { args: [ROOT + entry, "serve", "--config", file], env: {} };
}

function launchPortkey(port: number): Launch {
  const loopback = new URL("../contestants/bind-loopback.js", import.meta.url).href;
  return { args: ["--import", loopback, PORTKEY, `--port=${port}`, "--headless"], env: {} };
}

/** Portkey takes the upstream from the request's headers. */
function portkeyHeaders(upstreamPort: number): string {
  return [
    "x-portkey-provider: openai",
    `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`,
    "authorization: Bearer bench",
  ].join("\n");
}

const GRPC: Door = { protocol: "grpc" };
const OPENAI: Door = { protocol: "openai", headers: "authorization: Bearer bench" };

/** Everyone who can be measured, in the order of the tables. */
export const CONTESTANTS: readonly Contestant[] = [
  { name: "direct", title: "no gateway", launch: undefined, door: () => OPENAI },
  {
    name: "hello",
    title: "node:http2 hello",
    launch: launchServer("http2-hello/server.ts"),
    door: () => ({ protocol: "http2" }),
    measures: ["unary", "startup"],
  },
  {
    name: "minimal",
    title: "minimal gRPC proxy",
    launch: launchServer("minimal-grpc-proxy/server.ts"),
    door: () => GRPC,
  },
  {
    name: "connect",
    title: "connectNodeAdapter + undici",
    launch: launchServer("connect-proxy/server.ts"),
    door: () => GRPC,
  },
  { name: "sluice", title: "Sluice, gRPC", launch: launchSluice, door: () => GRPC },
  {
    name: "sluice-compiled",
    title: "Sluice, compiled, gRPC",
    launch: (port, upstreamPort) => launchSluice(port, upstreamPort, "bench/contestants/compiled-sluice.js"),
    door: () => GRPC,
    measures: ["startup"],
    explainAbsence: () => explainMissingBuild(ROOT),
  },
  {
    name: "sluice-openai",
    title: "Sluice, OpenAI door",
    launch: launchSluice,
    door: () => OPENAI,
    measures: listMeasures(false).map((measure) => measure.name),
  },
  {
    name: "portkey",
    title: "Portkey 1.15.2",
    launch: launchPortkey,
    door: (upstreamPort) => ({ protocol: "openai", headers: portkeyHeaders(upstreamPort) }),
  },
];

/** The names that `--contestants` takes. */
export const CONTESTANT_NAMES: readonly string[] = CONTESTANTS.map((contestant) => contestant.name);
