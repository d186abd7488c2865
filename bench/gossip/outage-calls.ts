/** How many calls a dead deployment still gets once it has failed often enough to know, by how replicas share. */

import { setTimeout as pass } from "node:timers/promises";
import type { NatsBus } from "../../src/bus/nats-bus.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { openTestBus, whenState } from "../../test/support/open-test-bus.ts";
import { hears, waitFor } from "./measures.ts";
import { type ModelServer, startModelServer } from "./model-server.ts";
import { type Replica, startReplica } from "./replica.ts";
import { pollSharedState } from "./shared-state-poller.ts";

/** How replicas learn from each other. */
export type SharingWay = "nats" | "poll-1s" | "poll-10s" | "none";

const POLL_MS: Readonly<Record<SharingWay, number | undefined>> = {
  nats: undefined,
  "poll-1s": 1_000,
  "poll-10s": 10_000,
  none: undefined,
};

/** Each replica asks so often, at even intervals. */
export const REQUESTS_PER_S = 10;
/** What both deployments take while they are sound; the dead one fails at once. */
const ANSWER_MS = 100;
/** Both deployments are sound for so long before one dies. */
const SOUND_MS = 2_000;
/** Outages at once: a replica that alone fails at three providers is not listened to. */
const PARALLEL_COUNT = 2;
/** How long the deployment is dead: longer than the longest interval. */
export const DEAD_MS = 12_000;
/** The failed answer, of whatever replica, after which a fleet that acts as one would know. */
export const KNOWN_AFTER_COUNT = 3;

/** One outage. */
export interface Outage {
  /** Calls to the deployment while it was sound: shows that it was chosen. */
  readonly soundCallCount: number;
  /** Calls to it while it was dead, probes among them. */
  readonly deadCallCount: number;
  readonly requestCount: number;
  readonly answeredCount: number;
}

/**
 * Lets `outageCount` deployments die, two at a time, each of a model of its own. Every two have
 * replicas of their own, so that no outage knows of the one before, and the same traffic whatever the way.
 */
export async function measureOutageCalls(
  natsPort: number,
  replicaCount: number,
  way: SharingWay,
  outageCount: number,
): Promise<readonly Outage[]> {
  const outages: Outage[] = [];
  for (let first = 0; first < outageCount; first += PARALLEL_COUNT) {
    const parallelCount = Math.min(PARALLEL_COUNT, outageCount - first);
    outages.push(...(await measureOutages(natsPort, replicaCount, way, parallelCount, first)));
  }
  return outages;
}

async function measureOutages(
  natsPort: number,
  replicaCount: number,
  way: SharingWay,
  outageCount: number,
  seed: number,
): Promise<readonly Outage[]> {
  const models = await startModelServer(ANSWER_MS);
  const replicas: Replica[] = [];
  const buses: NatsBus[] = [];
  let stopPolling = () => {};
  try {
    for (let index = 0; index < replicaCount; index++) {
      // With a prefix of its own a replica hears nobody.
      const subjectPrefix = way === "nats" ? "sluice" : `only-${index}`;
      if (POLL_MS[way] !== undefined) {
        const { bus } = openTestBus([natsPort], { replicaId: `bench-${index}`, subjectPrefix });
        buses.push(bus);
        await whenState(bus, "connected");
      }
      const natsUrl = `nats://127.0.0.1:${natsPort}`;
      const options = { modelUrl: models.baseUrl, natsUrl, modelCount: outageCount, subjectPrefix };
      replicas.push(await startReplica(`r${index}`, options));
    }
    const pollMs = POLL_MS[way];
    if (pollMs !== undefined) {
      const polled = replicas.flatMap(({ id }, index) => {
        const bus = buses[index];
        return bus === undefined ? [] : [{ id, bus }];
      });
      stopPolling = pollSharedState(polled, pollMs, seededRandom(seed));
    }
    const heardCount = way === "none" ? 0 : replicaCount - 1;
    await Promise.all(replicas.map((replica) => waitFor(() => hears(replica, heardCount))));
    const numbers = Array.from({ length: outageCount }, (_, number) => number);
    return await Promise.all(numbers.map((number) => measureOutage(models, replicas, number)));
  } finally {
    stopPolling();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await Promise.all(buses.map((bus) => bus.close()));
    await models.close();
  }
}

async function measureOutage(
  models: ModelServer,
  replicas: readonly Replica[],
  number: number,
): Promise<Outage> {
  models.setSound(number, true);
  const traffic = replicas.map((replica, index) =>
    sendTraffic(replica, number, (index + number / PARALLEL_COUNT) / replicas.length),
  );
  await pass(SOUND_MS);
  models.setSound(number, false);
  await pass(DEAD_MS);
  const sent = await Promise.all(traffic.map((stop) => stop()));
  return {
    soundCallCount: models.countAnswers(number),
    deadCallCount: models.countFailures(number),
    requestCount: sent.reduce((sum, { requestCount }) => sum + requestCount, 0),
    answeredCount: sent.reduce((sum, { answeredCount }) => sum + answeredCount, 0),
  };
}

/** Asks again and again, whatever the answers take, until the function that it returns is called; first after a share of the interval. */
function sendTraffic(replica: Replica, number: number, delayRatio: number) {
  const answers: Promise<boolean>[] = [];
  const intervalMs = 1_000 / REQUESTS_PER_S;
  let timer: NodeJS.Timeout | undefined;
  const startTimer = setTimeout(() => {
    timer = setInterval(() => answers.push(replica.askInOrder(number)), intervalMs);
  }, delayRatio * intervalMs);
  return async () => {
    clearTimeout(startTimer);
    clearInterval(timer);
    const answered = await Promise.all(answers);
    return { requestCount: answered.length, answeredCount: answered.filter(Boolean).length };
  };
}
