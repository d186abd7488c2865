/** The course of the demo. */

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { WatchMetricsRequestSchema } from "../../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import type { Clock } from "../../domain/ports.ts";
import { openRpcClient, type RpcClient } from "../rpc-client.ts";
import { parseServerAddress } from "../server-address.ts";
import { readVersion } from "../version.ts";
import { DemoRecord } from "./demo-record.ts";
import type { DemoReport } from "./demo-report.ts";
import { type DemoServer, startDemoFront, startDemoProvider } from "./demo-servers.ts";
import { DemoTraffic } from "./demo-traffic.ts";

/** The providers' names, and the one that is stopped. */
export const PROVIDERS = ["alpha", "beta", "gamma"] as const;
export const VICTIM = "beta";

/** When the victim is stopped and started again, as shares of the whole time. */
const STOP_RATIO = 0.2;
const START_RATIO = 0.42;
const WATCH_INTERVAL_MS = 200;

/** What the demo needs. */
export interface DemoTerms {
  readonly clock: Clock;
  readonly durationMs: number;
  readonly requestsPerSecond: number;
  /** Ends the demo early. */
  readonly signal: AbortSignal;
  /** Shows what is known now; called a few times per second. */
  show(record: DemoRecord, traffic: DemoTraffic, atMs: number): Promise<void>;
}

/** Runs the demo and cleans up after it. Rejects when a port cannot be opened. */
export async function runDemo(terms: DemoTerms): Promise<DemoReport> {
  const { clock } = terms;
  const providers = new Map<string, DemoServer>();
  let front: DemoServer | undefined;
  let client: RpcClient | undefined;
  try {
    for (const name of PROVIDERS) providers.set(name, await startDemoProvider(0, clock));
    const ports = Object.fromEntries([...providers].map(([name, { port }]) => [name, port]));
    front = await startDemoFront(ports, clock);
    client = openRpcClient({
      server: parseServerAddress(`127.0.0.1:${front.port}`, "the demo"),
      tls: undefined,
      version: readVersion(),
      clock,
    });
    return await playDemo(terms, client, providers);
  } finally {
    client?.close();
    await front?.stop();
    await Promise.all([...providers.values()].map((provider) => provider.stop()));
  }
}

async function playDemo(
  { clock, durationMs, requestsPerSecond, signal, show }: DemoTerms,
  client: RpcClient,
  providers: Map<string, DemoServer>,
): Promise<DemoReport> {
  const record = new DemoRecord(VICTIM);
  const traffic = new DemoTraffic(client, { timeoutMs: 10_000, signal }, clock);
  const beginMs = clock.nowMs();
  const sinceMs = () => clock.nowMs() - beginMs;
  const watching = new AbortController();
  const watch = create(WatchMetricsRequestSchema, { intervalDuration: durationFromMs(WATCH_INTERVAL_MS) });
  const watched = client.stream(
    RouterService.method.watchMetrics,
    watch,
    { timeoutMs: undefined, signal: watching.signal },
    async ({ snapshot }) => {
      if (snapshot !== undefined) record.take(snapshot, sinceMs());
      await show(record, traffic, sinceMs());
    },
  );
  // Whoever reads the output may leave; the traffic then has nobody to show it to.
  const left = watched.then(
    () => {},
    () => {},
  );
  try {
    traffic.start(1_000 / requestsPerSecond);
    await Promise.race([left, waitUntil(beginMs + durationMs * STOP_RATIO, clock, signal)]);
    const victim = providers.get(VICTIM);
    record.noteStop(sinceMs());
    await victim?.stop();
    await Promise.race([left, waitUntil(beginMs + durationMs * START_RATIO, clock, signal)]);
    providers.set(VICTIM, await startDemoProvider(victim?.port ?? 0, clock));
    record.noteStart(sinceMs());
    await Promise.race([left, waitUntil(beginMs + durationMs, clock, signal)]);
  } finally {
    await traffic.finish();
    watching.abort();
  }
  await watched;
  return {
    requestCount: traffic.sentCount,
    failedCount: traffic.failedCount,
    callsAfterDetectionCount: record.callsAfterDetectionCount,
    detectionMs: roundTime(record.detectionMs),
    returnMs: roundTime(record.returnMs),
  };
}

function roundTime(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}

/** Resolves at a moment of the clock, or at once when the signal says so. */
function waitUntil(atMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stopTimer();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const stopTimer = clock.timer(Math.max(atMs - clock.nowMs(), 0), end);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}
