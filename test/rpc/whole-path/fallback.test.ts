import { createServer } from "node:net";
import { expect } from "chai";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import {
  type Attempt,
  GenerationFailureSchema,
  Outcome,
  Role,
} from "../../../gen/sluice/v1/generation_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { nameEnumValue } from "../../support/name-enum-value.ts";
import { describeDeployment, findDeployment, readMetrics } from "../../support/read-metrics.ts";
import { MODEL, type SluiceChanges, startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";
import {
  catchCallerError,
  openGrpcJsCaller,
  type RpcCaller,
  readAll,
  type Spec,
} from "../clients/rpc-caller.ts";

const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
};
const JSON_TYPE = { "content-type": "application/json" };

/** One way for a model server to fail before its first token, and what callers learn of it. */
interface Fault {
  readonly title: string;
  readonly script: (exchange: UpstreamExchange) => void;
  readonly outcome: string;
  readonly httpStatus?: number;
  readonly providerCode?: string;
  /** Whether it says something about the deployment's health. */
  readonly counts: boolean;
  /** Whether the deployment is left alone afterwards, so that the next request does not ask it. */
  readonly coolsDown?: boolean;
}

const FAULTS: readonly Fault[] = [
  { title: "hangs without an answer", script: () => {}, outcome: "TIMEOUT", counts: true },
  {
    title: "hangs after its headers",
    script: (exchange) => exchange.begin(),
    outcome: "TIMEOUT",
    counts: true,
  },
  {
    title: "answers 500",
    script: (exchange) => exchange.answer(500, JSON_TYPE, '{"error":{"code":"server_error"}}'),
    outcome: "SERVER_ERROR",
    httpStatus: 500,
    providerCode: "server_error",
    counts: true,
  },
  {
    title: "answers 429",
    script: (exchange) =>
      exchange.answer(429, { ...JSON_TYPE, "retry-after": "60" }, '{"error":{"code":"rate_limit_exceeded"}}'),
    outcome: "RATE_LIMIT",
    httpStatus: 429,
    providerCode: "rate_limit_exceeded",
    counts: false,
    coolsDown: true,
  },
  {
    title: "answers 503",
    script: (exchange) => exchange.answer(503, {}, "busy"),
    outcome: "OVERLOADED",
    httpStatus: 503,
    counts: true,
  },
  {
    title: "cuts the connection before its headers",
    script: (exchange) => exchange.reset(),
    outcome: "NETWORK",
    counts: true,
  },
  {
    title: "cuts the connection before its first token",
    script: (exchange) => {
      exchange.begin();
      exchange.send({ model: "upstream-1", choices: [{ index: 0, delta: { role: "assistant" } }] });
      setImmediate(() => exchange.reset());
    },
    outcome: "STREAM_INTERRUPTED",
    httpStatus: 200,
    counts: true,
  },
  {
    title: "answers 200 with a page of HTML",
    script: (exchange) =>
      exchange.answer(200, { "content-type": "text/html" }, "<!doctype html><p>Sign in</p>"),
    outcome: "SERVER_ERROR",
    httpStatus: 200,
    counts: true,
  },
  {
    title: "answers 200 with an error in its body",
    script: (exchange) => exchange.answer(200, JSON_TYPE, '{"error":{"code":"1305","message":"busy"}}'),
    outcome: "OVERLOADED",
    httpStatus: 200,
    providerCode: "1305",
    counts: true,
  },
  {
    title: "begins a stream with an error",
    script: (exchange) => {
      exchange.begin();
      exchange.send({ error: { code: "server_error", message: "sorry" } });
      exchange.response.end();
    },
    outcome: "SERVER_ERROR",
    httpStatus: 200,
    providerCode: "server_error",
    counts: true,
  },
  {
    title: "speaks no HTTP",
    script: (exchange) => exchange.writeRaw("SSH-2.0-OpenSSH_9.6\r\n"),
    outcome: "SERVER_ERROR",
    counts: true,
  },
];

describe("a request whose first deployment", () => {
  let bad: FakeUpstream;
  let good: FakeUpstream;
  let sluice: TestSluice;
  let caller: RpcCaller;

  async function start(baseUrls?: Readonly<Record<string, string>>, changes: SluiceChanges = {}) {
    sluice = await startSluiceOver(baseUrls ?? { bad: bad.baseUrl, good: good.baseUrl }, {
      timeouts: { firstTokenMs: 60 },
      ...changes,
    });
    caller = openGrpcJsCaller(sluice.port);
  }

  beforeEach(async () => {
    bad = await FakeUpstream.start();
    good = await FakeUpstream.start(answerWell);
  });

  afterEach(async () => {
    caller.close();
    await sluice.stop();
    await Promise.all([bad.close(), good.close()]);
  });

  for (const { title, script, counts, coolsDown = false, ...facts } of FAULTS) {
    it(`${title} is answered by the next one, unary and as a stream`, async () => {
      bad.script = script;
      await start();
      const answer = await caller.generate(SPEC);
      expect(answer).to.include({ text: "Noon.", provider: "good" });
      expect(answer.attempts.map(describeAttempt)).to.deep.equal([describeFault(facts), SUCCESS]);

      const events = await readAll(caller.stream(SPEC));
      const kinds = events.map(({ event }) => event.case);
      const last = events.at(-1)?.event;
      if (last?.case !== "finished") throw new Error("the stream did not end with finished");
      if (coolsDown) {
        expect(kinds.slice(0, 2)).to.deep.equal(["started", "textDelta"]);
        expect(last.value.attempts.map(describeAttempt)).to.deep.equal([SUCCESS]);
      } else {
        expect(kinds.slice(0, 3)).to.deep.equal(["started", "attemptSwitched", "textDelta"]);
        const switched = events[1]?.event;
        expect(
          switched?.case === "attemptSwitched" && nameEnumValue(Outcome, switched.value.previousOutcome),
        ).to.equal(facts.outcome);
        expect(last.value.attempts.map(describeAttempt)).to.deep.equal([describeFault(facts), SUCCESS]);
      }

      const failureCount = coolsDown ? 1 : 2;
      const snapshot = await readMetrics(sluice.baseUrl);
      expect(snapshot.requests).to.include({
        succeededCount: 2n,
        fallbackCount: BigInt(failureCount),
        failedCount: 0n,
      });
      expect(describeDeployment(snapshot, "bad")).to.deep.equal({
        breaker: "CLOSED",
        consecutiveFailureCount: counts ? 2 : 0,
        inFlightCount: 0,
        outcomes: { [facts.outcome]: failureCount },
      });
      await eventually(() => {
        for (const { response } of bad.exchanges)
          expect(response.closed || response.writableEnded).to.equal(true);
      });
    });
  }

  it("refuses the connection is answered by the next one, unary and as a stream", async () => {
    await start({ bad: `http://127.0.0.1:${await findClosedPort()}/v1`, good: good.baseUrl });
    const answer = await caller.generate(SPEC);
    expect(answer.attempts.map(describeAttempt)).to.deep.equal([
      describeFault({ outcome: "NETWORK" }),
      SUCCESS,
    ]);
    const events = await readAll(caller.stream(SPEC));
    expect(events.map(({ event }) => event.case).slice(0, 2)).to.deep.equal(["started", "attemptSwitched"]);
    expect(events.at(-1)?.event.case).to.equal("finished");
  });

  it("breaks after the first token ends with ABORTED and is never finished", async () => {
    await start();
    bad.script = (exchange) => {
      exchange.begin();
      exchange.sendText("No");
      exchange.send({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 1 } });
    };
    const kinds: (string | undefined)[] = [];
    const error = await catchCallerError(
      (async () => {
        for await (const { event } of caller.stream(SPEC)) {
          kinds.push(event.case);
          if (event.case === "usage") bad.exchanges[0]?.reset();
        }
      })(),
    );
    expect(kinds).to.deep.equal(["started", "textDelta", "usage"]);
    expect(error.code).to.equal("ABORTED");
    expect(error.detail(ErrorInfoSchema).reason).to.equal("STREAM_INTERRUPTED");
    const failure = error.detail(GenerationFailureSchema);
    expect(failure.attempts.map(describeAttempt)).to.deep.equal([
      describeFault({ outcome: "STREAM_INTERRUPTED", httpStatus: 200 }),
    ]);
    expect(failure.usage).to.include({ inputTokenCount: 7n, outputTokenCount: 1n });
    expect(good.exchanges).to.deep.equal([]);
  });

  it("falls silent after the first token ends with ABORTED too", async () => {
    await start(undefined, { timeouts: { firstTokenMs: 1_000, idleMs: 60 } });
    bad.script = (exchange) => {
      exchange.begin();
      exchange.sendText("No");
    };
    const error = await catchCallerError(readAll(caller.stream(SPEC)));
    expect(error.code).to.equal("ABORTED");
    expect(error.detail(GenerationFailureSchema).attempts[0]?.outcome).to.equal(Outcome.TIMEOUT);
    await eventually(() => expect(bad.exchanges[0]?.isClientGone).to.equal(true));
  });

  it("fails like the second one says why, with every attempt in order", async () => {
    await start();
    bad.script = (exchange) => exchange.answer(500, {}, "");
    good.script = (exchange) => exchange.answer(429, { "retry-after": "2" }, "");
    const error = await catchCallerError(caller.generate(SPEC));
    expect(error.code).to.equal("RESOURCE_EXHAUSTED");
    expect(error.detail(ErrorInfoSchema).reason).to.equal("UPSTREAM_RATE_LIMITED");
    expect(error.detail(GenerationFailureSchema).attempts.map(describeAttempt)).to.deep.equal([
      describeFault({ outcome: "SERVER_ERROR", httpStatus: 500 }),
      describeFault({ outcome: "RATE_LIMIT", httpStatus: 429 }, "good"),
    ]);
  });

  it("keeps failing is left alone from its threshold on, and comes back after a good probe", async () => {
    const recoveryTimeMs = 300;
    await start(undefined, { breaker: { failureThreshold: 3, recoveryTimeMs } });
    bad.script = (exchange) => exchange.answer(500, {}, "");
    for (let count = 1; count <= 3; count++) {
      await caller.generate(SPEC);
      const { breaker, consecutiveFailureCount } = describeDeployment(
        await readMetrics(sluice.baseUrl),
        "bad",
      );
      expect({ breaker, consecutiveFailureCount }).to.deep.equal({
        breaker: count < 3 ? "CLOSED" : "OPEN",
        consecutiveFailureCount: count,
      });
    }
    const { nextProbeDelay } = findDeployment(await readMetrics(sluice.baseUrl), "bad");
    expect(nextProbeDelay).to.include({ seconds: 0n });
    expect(nextProbeDelay?.nanos).to.be.within(1, recoveryTimeMs * 1_000_000);

    const spared = await caller.generate(SPEC);
    expect(spared.attempts.map(({ provider }) => provider)).to.deep.equal(["good"]);
    expect(bad.exchanges).to.have.length(3);

    await eventually(async () => {
      expect(describeDeployment(await readMetrics(sluice.baseUrl), "bad").breaker).to.equal("HALF_OPEN");
    });
    // A bad probe opens it again at once; the request does not suffer.
    expect((await caller.generate(SPEC)).attempts).to.have.length(2);
    expect(describeDeployment(await readMetrics(sluice.baseUrl), "bad").breaker).to.equal("OPEN");

    bad.script = answerWell;
    await eventually(async () => {
      expect(describeDeployment(await readMetrics(sluice.baseUrl), "bad").breaker).to.equal("HALF_OPEN");
    });
    expect((await caller.generate(SPEC)).provider).to.equal("bad");
    const { breaker, consecutiveFailureCount } = describeDeployment(await readMetrics(sluice.baseUrl), "bad");
    expect({ breaker, consecutiveFailureCount }).to.deep.equal({
      breaker: "CLOSED",
      consecutiveFailureCount: 0,
    });
    expect(findDeployment(await readMetrics(sluice.baseUrl), "bad").nextProbeDelay).to.equal(undefined);
  });

  it("is the only one and has an open breaker is told when to come back", async () => {
    await start({ bad: bad.baseUrl }, { breaker: { failureThreshold: 1, recoveryTimeMs: 10_000 } });
    bad.script = (exchange) => exchange.answer(500, {}, "");
    await catchCallerError(caller.generate(SPEC));
    const error = await catchCallerError(caller.generate(SPEC));
    expect(error.code).to.equal("UNAVAILABLE");
    expect(error.detail(ErrorInfoSchema).reason).to.equal("NO_DEPLOYMENT_AVAILABLE");
    expect(bad.exchanges).to.have.length(1);
  });
});

type AttemptFacts = Pick<Fault, "outcome" | "httpStatus" | "providerCode">;

const SUCCESS = { deployment: `good/${MODEL}`, outcome: "SUCCESS", httpStatus: undefined, providerCode: "" };

function describeAttempt({ deployment, outcome, httpStatus, providerCode }: Attempt) {
  return { deployment, outcome: nameEnumValue(Outcome, outcome), httpStatus, providerCode };
}

function describeFault({ outcome, httpStatus, providerCode = "" }: AttemptFacts, provider = "bad") {
  return { deployment: `${provider}/${MODEL}`, outcome, httpStatus, providerCode };
}

function answerWell(exchange: UpstreamExchange): void {
  exchange.begin();
  exchange.sendText("Noon.");
  exchange.finish();
}

/** A port that was free a moment ago: connecting to it is refused. */
function findClosedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
