import { startNatsServer } from "../../test/support/nats-server.ts";
import { renderText } from "../side-by-side/table.ts";
import {
  DEAD_MS,
  KNOWN_AFTER_COUNT,
  measureOutageCalls,
  type Outage,
  REQUESTS_PER_S,
  type SharingWay,
} from "./outage-calls.ts";

const WAYS: readonly (readonly [SharingWay, string])[] = [
  ["nats", "NATS"],
  ["poll-1s", "polled every 1 s"],
  ["poll-10s", "polled every 10 s"],
  ["none", "none"],
];

const NORMAL_QUANTILE = 1.96;

/** Measures each way of sharing at each number of replicas; the table of it. */
export async function renderOutageCalls(
  program: string,
  replicaCounts: readonly number[],
  outageCount: number,
): Promise<string> {
  const rows: string[][] = [];
  const nats = await startNatsServer(program);
  try {
    for (const replicaCount of replicaCounts) {
      // A replica that is alone has nobody to learn from, whatever the way.
      for (const [way, name] of replicaCount === 1 ? WAYS.slice(-1) : WAYS) {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${replicaCount} replicas, ${name} `);
        const outages = await measureOutageCalls(nats.port, replicaCount, way, outageCount);
        rows.push([String(replicaCount), name, ...describe(outages)]);
      }
    }
  } finally {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    await nats.remove();
  }
  const title =
    `calls to a deployment that has died, ${outageCount} outages each; ` +
    `${REQUESTS_PER_S} requests a second and replica`;
  const head = [
    "replicas",
    "sharing",
    "while sound",
    `dead, in ${DEAD_MS / 1_000} s`,
    `after failure ${KNOWN_AFTER_COUNT}`,
    "95 % interval",
    "fewest to most",
    "answered",
  ];
  return renderText({ title, head, rows, content: "numbers" });
}

function describe(outages: readonly Outage[]): string[] {
  const mean = (read: (outage: Outage) => number) =>
    (outages.reduce((sum, outage) => sum + read(outage), 0) / outages.length).toFixed(1);
  const lateCounts = outages.map(countLateCalls);
  const requestCount = outages.reduce((sum, outage) => sum + outage.requestCount, 0);
  const answeredCount = outages.reduce((sum, outage) => sum + outage.answeredCount, 0);
  return [
    mean(({ soundCallCount }) => soundCallCount),
    mean(({ deadCallCount }) => deadCallCount),
    mean(countLateCalls),
    describeInterval(lateCounts),
    `${Math.min(...lateCounts)} to ${Math.max(...lateCounts)}`,
    `${((answeredCount / requestCount) * 100).toFixed(2)} %`,
  ];
}

/** Of the mean, by its standard error; the outages of one fleet are not quite apart from each other. */
function describeInterval(counts: readonly number[]): string {
  if (counts.length < 2) return "–";
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (counts.length - 1);
  const halfWidth = NORMAL_QUANTILE * Math.sqrt(variance / counts.length);
  return `${Math.max(mean - halfWidth, 0).toFixed(1)} to ${(mean + halfWidth).toFixed(1)}`;
}

function countLateCalls({ deadCallCount }: Outage): number {
  return Math.max(deadCallCount - KNOWN_AFTER_COUNT, 0);
}
