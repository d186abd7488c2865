import { request as requestHttp1 } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { expect } from "chai";
import OpenAI from "openai";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { describeDeployment, readMetrics } from "../../support/read-metrics.ts";
import { startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";
import {
  CallerError,
  catchCallerError,
  openGrpcJsCaller,
  rpcClients,
  type Spec,
} from "../clients/rpc-caller.ts";

/** How soon the model server must see that its client has left. */
const NOTICE_MS = 50;

/** Single tries wait for whatever else the machine does; their median does not. */
const TRY_COUNT = 5;

const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
};
const CHAT = { model: "auto", messages: [{ role: "user" as const, content: CANARIES.prompt }] };

/** A call under way. */
interface LeavingCall {
  /** Resolves when the first piece of an answer came; never for an answer that comes whole. */
  readonly firstToken: Promise<void>;
  /** Gives the call up in the client's own way. */
  leave(): void;
  /** Resolves with what the client makes of it. */
  readonly ended: Promise<string>;
}

interface LeavingClient {
  readonly name: string;
  /** Whether pieces of the answer reach the caller before its end. */
  readonly streams: boolean;
  /** What `ended` says after `leave`. */
  readonly end: string;
  open(port: number): { begin(): LeavingCall; close(): void };
}

const leavingRpcClients: readonly LeavingClient[] = rpcClients.flatMap(({ name, open }) =>
  [false, true].map((streams) => ({
    name: `${name}, ${streams ? "streaming" : "unary"}`,
    streams,
    end: "CANCELLED",
    open(port: number) {
      const caller = open(port);
      return {
        close: () => caller.close(),
        begin(): LeavingCall {
          const leaving = new AbortController();
          const { signal } = leaving;
          const firstToken = Promise.withResolvers<void>();
          const run = async () => {
            if (!streams) {
              await caller.generate(SPEC, { signal });
              return;
            }
            for await (const { event } of caller.stream(SPEC, { signal })) {
              if (event.case === "textDelta") firstToken.resolve();
            }
          };
          return {
            firstToken: firstToken.promise,
            leave: () => leaving.abort(),
            ended: run().then(
              () => "OK",
              (error: unknown) => (error instanceof CallerError ? error.code : String(error)),
            ),
          };
        },
      };
    },
  })),
);

const openAiClients: readonly LeavingClient[] = [false, true].map((streams) => ({
  name: `the openai package, ${streams ? "streaming" : "unary"}`,
  streams,
  end: "left",
  open(port) {
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: "none", maxRetries: 0 });
    return {
      close: () => {},
      begin() {
        const leaving = new AbortController();
        const firstToken = Promise.withResolvers<void>();
        const run = async () => {
          const { signal } = leaving;
          if (!streams) {
            await client.chat.completions.create(CHAT, { signal });
            return;
          }
          for await (const chunk of await client.chat.completions.create(
            { ...CHAT, stream: true },
            { signal },
          )) {
            if (chunk.choices[0]?.delta.content) firstToken.resolve();
          }
        };
        return {
          firstToken: firstToken.promise,
          leave: () => leaving.abort(),
          // Before the stream has begun the package throws; afterwards it ends the loop without a word.
          ended: run().then(
            () => (leaving.signal.aborted ? "left" : "OK"),
            (error: unknown) => (error instanceof OpenAI.APIUserAbortError ? "left" : String(error)),
          ),
        };
      },
    };
  },
}));

const BODY = JSON.stringify({ ...CHAT, stream: true });

const rawClients: readonly LeavingClient[] = [
  {
    name: "a plain HTTP/1.1 request that closes its connection",
    streams: true,
    end: "closed",
    open: (port) => ({
      close: () => {},
      begin() {
        const firstToken = Promise.withResolvers<void>();
        const ended = Promise.withResolvers<string>();
        const request = requestHttp1({
          ...{ host: "127.0.0.1", port, path: "/v1/chat/completions", method: "POST", agent: false },
          headers: { "content-type": "application/json" },
        });
        request.on("error", () => {});
        request.on("response", (response) => {
          response.on("error", () => {});
          response.on("data", (chunk) => {
            if (String(chunk).includes("No")) firstToken.resolve();
          });
        });
        request.once("close", () => ended.resolve("closed"));
        request.end(BODY);
        return { firstToken: firstToken.promise, leave: () => request.destroy(), ended: ended.promise };
      },
    }),
  },
  {
    name: "a plain HTTP/2 request that resets its stream",
    streams: true,
    end: "closed",
    open(port) {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      return {
        close: () => session.close(),
        begin() {
          const firstToken = Promise.withResolvers<void>();
          const ended = Promise.withResolvers<string>();
          const stream = session.request({
            ":method": "POST",
            ":path": "/v1/chat/completions",
            "content-type": "application/json",
          });
          stream.on("data", (chunk) => {
            if (String(chunk).includes("No")) firstToken.resolve();
          });
          stream.on("error", () => {});
          stream.once("close", () => ended.resolve("closed"));
          stream.end(BODY);
          // 8 is CANCEL (RFC 9113 7).
          return { firstToken: firstToken.promise, leave: () => stream.close(8), ended: ended.promise };
        },
      };
    },
  },
];

const clients = [...leavingRpcClients, ...openAiClients, ...rawClients];

describe("a caller that leaves", () => {
  let upstream: FakeUpstream;
  let sluice: TestSluice;
  let client: { close(): void };

  /** Resolves with the next request that reaches the model server. */
  function takeExchange(script: (exchange: UpstreamExchange) => void): Promise<UpstreamExchange> {
    return new Promise((resolve) => {
      upstream.script = (exchange) => {
        script(exchange);
        resolve(exchange);
      };
    });
  }

  beforeEach(async () => {
    upstream = await FakeUpstream.start();
    sluice = await startSluiceOver({ only: upstream.baseUrl });
  });

  afterEach(async () => {
    client.close();
    await sluice.stop();
    await upstream.close();
  });

  /** Leaves some calls, one after the other, and returns how long each took to be noticed at the model server. */
  async function measureNoticesMs(kind: LeavingClient, moment: "first token" | "silence"): Promise<number[]> {
    const noticesMs: number[] = [];
    const opened = kind.open(sluice.port);
    client = opened;
    for (let number = 0; number < TRY_COUNT; number++) {
      const reached = takeExchange((exchange) => {
        if (moment === "silence") return;
        exchange.begin();
        exchange.sendText("No");
      });
      const call = opened.begin();
      const exchange = await reached;
      if (moment === "first token" && kind.streams) await call.firstToken;
      const closed = new Promise<number>((resolve) => {
        exchange.response.once("close", () => resolve(performance.now()));
      });
      const leftMs = performance.now();
      call.leave();
      noticesMs.push((await closed) - leftMs);
      expect(exchange.isClientGone).to.equal(true);
      expect(await call.ended).to.equal(kind.end);
    }
    return noticesMs;
  }

  async function expectNothingLeft(): Promise<void> {
    await eventually(async () => {
      const snapshot = await readMetrics(sluice.baseUrl);
      expect(snapshot.requests).to.include({
        inFlightCount: 0,
        startedCount: BigInt(TRY_COUNT),
        cancelledCount: BigInt(TRY_COUNT),
        failedCount: 0n,
      });
      expect(describeDeployment(snapshot, "only")).to.deep.equal({
        breaker: "CLOSED",
        consecutiveFailureCount: 0,
        inFlightCount: 0,
        outcomes: { CANCELLED: TRY_COUNT },
      });
    });
  }

  for (const kind of clients) {
    for (const moment of ["silence", "first token"] as const) {
      const when = moment === "silence" ? "before the first token" : "after the first token";
      it(`${when} frees the model server within ${NOTICE_MS} ms (${kind.name})`, async () => {
        const noticesMs = await measureNoticesMs(kind, moment);
        const median = noticesMs.toSorted((a, b) => a - b)[Math.floor(TRY_COUNT / 2)];
        expect(median, `of ${noticesMs.map((ms) => ms.toFixed(1)).join(", ")} ms`).to.be.at.most(NOTICE_MS);
        await expectNothingLeft();
      });
    }
  }

  it("after a fallback stops the attempt under way, and the one before keeps its own outcome", async () => {
    const second = await FakeUpstream.start();
    const fallingBack = await startSluiceOver({ first: upstream.baseUrl, second: second.baseUrl });
    upstream.script = (exchange) => exchange.answer(500, {}, "");
    const caller = openGrpcJsCaller(fallingBack.port);
    client = caller;
    const leaving = new AbortController();
    const answer = catchCallerError(caller.generate(SPEC, { signal: leaving.signal }));
    await eventually(() => expect(second.exchanges).to.have.length(1));
    leaving.abort();
    expect((await answer).code).to.equal("CANCELLED");
    await eventually(async () => {
      const snapshot = await readMetrics(fallingBack.baseUrl);
      expect(describeDeployment(snapshot, "first").outcomes).to.deep.equal({ SERVER_ERROR: 1 });
      expect(describeDeployment(snapshot, "second").outcomes).to.deep.equal({ CANCELLED: 1 });
    });
    await eventually(() => expect(second.exchanges[0]?.isClientGone).to.equal(true));
    await fallingBack.stop();
    await second.close();
  });
});
