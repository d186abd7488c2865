/** `npm run bench -- gossip`: how soon replicas know what one of them found out, over a real nats-server. */

import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { findNatsServer } from "../../scripts/find-nats-server.ts";
import { startNatsServer, type TestNatsServer } from "../../test/support/nats-server.ts";
import { hears, isSuspect, measureSuccess, measureTrip, quantile, waitFor } from "../gossip/measures.ts";
import { type ModelServer, startModelServer } from "../gossip/model-server.ts";
import { renderOutageCalls } from "../gossip/outage-table.ts";
import { type Replica, startReplica } from "../gossip/replica.ts";
import { renderText } from "../side-by-side/table.ts";

const HELP = `npm run bench -- gossip [--replicas 3,5] [--trips 60] [--requests 2000] [--outages 10] [--only times|calls]
  times  how soon replicas know, and what they answer without NATS
  calls  what a dead deployment still gets, over NATS, by polling and without sharing; 1 replica, then as --replicas says
  The nats-server is found as the tests find it; TEST_NATS_SERVER=newest takes the newest.`;

/** How long the server stays away before it comes back. */
const AWAY_MS = 1_000;
const BARS = { tripMs: 500, joinMs: 2_500, restartMs: 3_000, lossRatio: 0.001 };

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly bar: string;
  readonly isMet: boolean;
}

interface Rig {
  readonly nats: TestNatsServer;
  readonly models: ModelServer;
  readonly replicas: Replica[];
  readonly modelCount: number;
}

/** Returns 0 when every bar was met, 1 when one was not, 2 for a wrong command line, 69 without a nats-server. */
export async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.error(HELP);
    return 2;
  }
  const found = await findNatsServer();
  if (found.kind === "missing") {
    console.error(`bench: no nats-server: ${found.why}`);
    return 69;
  }
  console.log(`nats-server: ${found.origin}`);
  const isMet = options.only === "calls" || (await measureTimes(found.program, options));
  if (options.only !== "times") {
    const counts = [...new Set([1, ...options.replicaCounts])];
    console.log(`\n${await renderOutageCalls(found.program, counts, options.outageCount)}`);
  }
  return isMet ? 0 : 1;
}

interface Options {
  readonly replicaCounts: readonly number[];
  readonly tripCount: number;
  readonly requestCount: number;
  readonly outageCount: number;
  readonly only: string | undefined;
}

async function measureTimes(program: string, options: Options): Promise<boolean> {
  let isMet = true;
  for (const replicaCount of options.replicaCounts) {
    const rows = await measureFleet(program, replicaCount, options);
    isMet &&= rows.every((row) => row.isMet);
    const title = `${replicaCount} replicas, ${options.tripCount} trips`;
    const head = ["", "measured", "bar", "met"];
    const lines = rows.map(({ what, measured, bar, isMet: met }) => [
      what,
      measured,
      bar,
      met ? "yes" : "NO",
    ]);
    console.log(`\n${renderText({ title, head, rows: lines, content: "words" })}`);
  }
  return isMet;
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        replicas: { type: "string", default: "3,5" },
        trips: { type: "string", default: "60" },
        requests: { type: "string", default: "2000" },
        outages: { type: "string", default: "10" },
        only: { type: "string" },
      },
    });
    const replicaCounts = values.replicas.split(",").map(Number);
    const [tripCount, requestCount] = [Number(values.trips), Number(values.requests)];
    const outageCount = Number(values.outages);
    const { only } = values;
    const isRight =
      [...replicaCounts, tripCount, requestCount].every((count) => Number.isInteger(count) && count > 1) &&
      Number.isInteger(outageCount) &&
      outageCount > 0 &&
      (only === undefined || only === "times" || only === "calls");
    return isRight ? { replicaCounts, tripCount, requestCount, outageCount, only } : undefined;
  } catch {
    return undefined;
  }
}

async function measureFleet(
  program: string,
  replicaCount: number,
  { tripCount, requestCount }: Options,
): Promise<readonly Row[]> {
  const rig: Rig = {
    nats: await startNatsServer(program),
    models: await startModelServer(),
    replicas: [],
    modelCount: tripCount + 1,
  };
  try {
    for (let index = 0; index < replicaCount; index++) await addReplica(rig, `r${index}`);
    await waitForAll(rig);
    return [
      ...(await measureTrips(rig, tripCount)),
      await measureLateJoiner(rig, tripCount),
      await measureRestart(rig),
      ...(await measureOutages(rig, requestCount)),
    ];
  } finally {
    await Promise.all(rig.replicas.map((replica) => replica.stop()));
    await rig.models.close();
    await rig.nats.remove();
  }
}

async function addReplica({ models, nats, replicas, modelCount }: Rig, id: string): Promise<Replica> {
  const replica = await startReplica(id, { modelUrl: models.baseUrl, natsUrl: nats.url, modelCount });
  replicas.push(replica);
  return replica;
}

/** The moment at which everybody hears everybody. */
async function waitForAll({ replicas }: Rig): Promise<number> {
  const others = replicas.length - 1;
  return Math.max(...(await Promise.all(replicas.map((each) => waitFor(() => hears(each, others))))));
}

async function measureTrips({ replicas, models }: Rig, tripCount: number): Promise<readonly Row[]> {
  const tripsMs: number[] = [];
  for (let number = 0; number < tripCount; number++) {
    tripsMs.push(await measureTrip(replicas, models, number));
    if (process.stderr.isTTY) process.stderr.write(`\rtrip ${number + 1}/${tripCount} `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const p99 = quantile(tripsMs, 0.99);
  return [
    { what: "trip known by every peer, p50", measured: inMs(quantile(tripsMs, 0.5)), bar: "", isMet: true },
    { what: "trip known by every peer, p99", ...atMost(p99, BARS.tripMs) },
    { what: "trip known by every peer, longest", measured: inMs(Math.max(...tripsMs)), bar: "", isMet: true },
  ];
}

/** From the moment that a new replica takes requests until it knows the failure of a moment ago. */
async function measureLateJoiner(rig: Rig, number: number): Promise<Row> {
  await measureTrip(rig.replicas, rig.models, number);
  const late = await addReplica(rig, "late");
  const readyMs = performance.now();
  const knownMs = await waitFor(() => isSuspect(late, number));
  rig.replicas.pop();
  await late.stop();
  return { what: "late joiner informed", ...atMost(knownMs - readyMs, BARS.joinMs) };
}

async function measureRestart(rig: Rig): Promise<Row> {
  await rig.nats.stop();
  await pass(AWAY_MS);
  await rig.nats.start();
  const readyMs = performance.now();
  return {
    what: `server back after ${AWAY_MS} ms, everybody hears everybody`,
    ...atMost((await waitForAll(rig)) - readyMs, BARS.restartMs),
  };
}

async function measureOutages(rig: Rig, requestCount: number): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const { nats, replicas } = rig;
  const readRss = () => Math.max(...replicas.map((replica) => replica.readRssMiB()));
  const measure = () => measureSuccess(replicas, requestCount, rig.modelCount);
  const usual = await measure();
  const describe = (what: string, ratio: number) => {
    rows.push({
      what: `answered, NATS ${what}`,
      measured: `${(ratio * 100).toFixed(2)} %; ${readRss().toFixed(0)} MiB`,
      bar: what === "up" ? "" : "within 0.1 points",
      isMet: usual - ratio <= BARS.lossRatio,
    });
  };
  describe("up", usual);
  nats.freeze();
  describe("frozen (SIGSTOP)", await measure());
  nats.thaw();
  await waitForAll(rig);
  await nats.stop();
  describe("stopped", await measure());
  await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
  await addReplica(rig, "alone-0");
  await addReplica(rig, "alone-1");
  // They must find out for themselves first, as the others had.
  await measure();
  describe("absent from the start", await measure());
  return rows;
}

function atMost(measuredMs: number, barMs: number): Omit<Row, "what"> {
  return { measured: inMs(measuredMs), bar: `< ${inMs(barMs)}`, isMet: measuredMs < barMs };
}

function inMs(ms: number): string {
  return Number.isFinite(ms) ? `${ms.toFixed(0)} ms` : "never";
}
