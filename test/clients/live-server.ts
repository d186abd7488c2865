import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { MetricsRequestSchema, type RequestMetrics } from "../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import { openRpcClient } from "../../src/cli/rpc-client.ts";
import { parseServerAddress } from "../../src/cli/server-address.ts";
import { systemClock } from "../../src/lib/clock.ts";

const BIN = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

/** One answer takes a second: long enough to exceed the examples' deadline and to be cancelled on the way. */
const CONFIG = `
providers:
  simulator: { kind: simulator, time_to_first_token: 20ms, tokens_per_second: 60, output_tokens: 60 }
models:
  - name: example
    context_window_tokens: 8192
    max_output_tokens: 1024
    deployments: [{ provider: simulator, upstream_model: example }]
`;

/** A server in a process of its own, as an operator would start it. */
export interface LiveServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** What the server counted so far. */
  readRequests(): Promise<RequestMetrics>;
  /** Asks it to end and resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts `sluice serve` on a free port with a simulated model called `example`. */
export async function startLiveServer(): Promise<LiveServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-clients-"));
  const config = join(folder, "sluice.yaml");
  await writeFile(config, CONFIG);
  const flags = ["--config", config, "--address", "127.0.0.1:0", "--admin-address", "off"];
  const child = spawn(process.execPath, [BIN, "serve", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const address = await new Promise<string>((resolve, reject) => {
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      const found = /"address":"(127\.0\.0\.1:\d+)".*"message":"listening"/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on("close", () => reject(new Error(`the server ended at once:\n${lines.join("\n")}`)));
  });
  const client = openRpcClient({
    server: parseServerAddress(address, "the test's server"),
    tls: undefined,
    version: "test",
    clock: systemClock,
  });
  return {
    address,
    async readRequests() {
      const limits = { timeoutMs: 5_000, signal: new AbortController().signal };
      const result = await client.unary(RouterService.method.metrics, create(MetricsRequestSchema), limits);
      const requests = result.ok ? result.value.snapshot?.requests : undefined;
      if (requests === undefined) throw new Error("the server gave no metrics");
      return requests;
    },
    async stop() {
      client.close();
      child.kill("SIGTERM");
      const code = await ended;
      await rm(folder, { recursive: true });
      return code;
    },
  };
}
