import type { Socket } from "node:net";
import { expect } from "chai";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { measureHeldBytes } from "../../support/held-memory.ts";
import { describeDeployment, readMetrics } from "../../support/read-metrics.ts";
import { startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";
import { CallerError, type RpcCaller, rpcClients, type Spec } from "../clients/rpc-caller.ts";

const STREAM_COUNT = 300;
const MAX_CONNECTIONS = 32;

/** Streams at once: more than there are connections, so that some wait for one. */
const WORKER_COUNT = 60;

/** What 300 streams may leave behind: code that was compiled, shapes, warm caches. */
const MAX_GROWTH_BYTES = 4 * 1024 * 1024;

const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
};

/** Its stop sequence tells the model server that nobody will wait for the end. */
const LEFT: Spec = { ...SPEC, sampling: { stopSequences: ["left"] } };

describe("hundreds of streams, half of them given up", function () {
  this.timeout(20_000);

  let upstream: FakeUpstream;
  let sluice: TestSluice;
  let callers: RpcCaller[];
  let restingResources: Record<string, number>;

  beforeEach(async () => {
    // Mocha's own timer is there from the first await on, here as in the test.
    await Promise.resolve();
    restingResources = countResources();
    upstream = await FakeUpstream.start(answerUnlessLeft);
    sluice = await startSluiceOver(
      { only: upstream.baseUrl },
      { provider: { maxConnections: MAX_CONNECTIONS } },
    );
    callers = rpcClients.map(({ open }) => open(sluice.port));
  });

  afterEach(async () => {
    for (const caller of callers) caller.close();
    await sluice.stop();
    await upstream.close();
  });

  /** Runs the streams a few at a time, round the clients; every second one is left after its first token. */
  async function runStreams(): Promise<{ finishedCount: number; leftCount: number }> {
    let next = 0;
    const tally = { finishedCount: 0, leftCount: 0 };
    const work = async () => {
      for (let number = next++; number < STREAM_COUNT; number = next++) {
        const caller = callers[Math.floor(number / 2) % callers.length];
        if (caller === undefined) throw new Error("there is no caller");
        if (await runStream(caller, number % 2 === 1)) tally.finishedCount++;
        else tally.leftCount++;
      }
    };
    await Promise.all(Array.from({ length: WORKER_COUNT }, work));
    return tally;
  }

  async function settle(roundCount: number): Promise<void> {
    const half = (roundCount * STREAM_COUNT) / 2;
    await eventually(async () => {
      const snapshot = await readMetrics(sluice.baseUrl);
      expect(snapshot.requests?.inFlightCount).to.equal(0);
      expect(describeDeployment(snapshot, "only")).to.deep.equal({
        breaker: "CLOSED",
        consecutiveFailureCount: 0,
        inFlightCount: 0,
        outcomes: { SUCCESS: half, CANCELLED: half },
      });
    });
  }

  it("leave nothing in flight, no socket beyond the idle pool, and no timer", async () => {
    // The first round opens what stays open: the clients' connections and the pool.
    expect(await runStreams()).to.deep.equal({
      finishedCount: STREAM_COUNT / 2,
      leftCount: STREAM_COUNT / 2,
    });
    await settle(1);
    const firstTimerCount = await eventually(() => expectOnlyIdleSockets(upstream));
    await runStreams();
    await settle(2);
    const secondTimerCount = await eventually(() => expectOnlyIdleSockets(upstream));
    expect(secondTimerCount).to.be.at.most(firstTimerCount);

    for (const caller of callers) caller.close();
    await sluice.stop();
    await upstream.close();
    await eventually(() => expect(countResources()).to.deep.equal(restingResources));
  });

  it("leave no memory behind, round after round", async () => {
    for (const round of [1, 2]) {
      await runStreams();
      await settle(round);
      forgetExchanges(upstream);
    }
    const before = measureHeldBytes();
    for (const round of [3, 4]) {
      await runStreams();
      await settle(round);
      forgetExchanges(upstream);
    }
    expect(measureHeldBytes() - before).to.be.below(MAX_GROWTH_BYTES);
  });
});

/** Streams one token; the rest never comes where the caller is going to leave. */
function answerUnlessLeft(exchange: UpstreamExchange): void {
  exchange.begin();
  exchange.sendText("No");
  if (!("stop" in exchange.json)) exchange.finish();
}

/** True when the stream came to its end. */
async function runStream(caller: RpcCaller, leaves: boolean): Promise<boolean> {
  const leaving = new AbortController();
  try {
    for await (const { event } of caller.stream(leaves ? LEFT : SPEC, { signal: leaving.signal })) {
      if (leaves && event.case === "textDelta") leaving.abort();
    }
    return true;
  } catch (error) {
    if (error instanceof CallerError && error.code === "CANCELLED" && leaves) return false;
    throw error;
  }
}

/** Fails while a socket to the model server is open that is not one of the idle pool; returns how many timers run. */
function expectOnlyIdleSockets(upstream: FakeUpstream): number {
  const sockets = new Set<Socket>();
  for (const { response } of upstream.exchanges) {
    expect(response.closed).to.equal(true);
    if (response.req.socket.destroyed === false) sockets.add(response.req.socket);
  }
  expect(sockets.size).to.be.at.most(MAX_CONNECTIONS);
  return countResources().Timeout ?? 0;
}

/** What keeps this process busy, by kind. */
function countResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** The recorder's own memory is not Sluice's. */
function forgetExchanges(upstream: FakeUpstream): void {
  upstream.exchanges.length = 0;
}
