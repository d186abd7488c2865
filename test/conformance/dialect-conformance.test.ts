import { createServer } from "node:net";
import { expect } from "chai";
import type { HttpProviderConfig } from "../../src/config/config.ts";
import type { Provider } from "../../src/domain/ports.ts";
import type { GenerationRequest } from "../../src/domain/request.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { buildProviders } from "../../src/providers/build-providers.ts";
import {
  ANSWER_TEXT,
  CANNED_DIALECTS,
  DIALECT_NAMES,
  type DialectName,
  TOKENS,
} from "../faults/canned-answer.ts";
import { bodyOfTokens, wholeBody } from "../faults/fault-wire.ts";
import { CANARIES, findCanaries } from "../support/canaries.ts";
import { eventually } from "../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange, type UpstreamScript } from "../support/fake-upstream.ts";
import { DIALECT_FACTS } from "./dialect-facts.ts";
import { later } from "./dialect-scripts.ts";
import { makeCall } from "./provider-calls.ts";
import { collectToolCalls, ProviderRecorder } from "./provider-recorder.ts";

const PICTURE = { mediaType: "image/png", data: Buffer.from("89504e470d0a1a0a", "hex") } as const;

const NUMBERS = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};
const TOOLS: Partial<GenerationRequest> = {
  tools: ["add", "mul"].map((name) => ({ name, description: "Counts.", parameters: NUMBERS })),
};

/** Stages of an answer at which an attempt is aborted: what the server has sent by then. */
const STAGES: readonly (readonly [string, (dialect: DialectName) => string | undefined])[] = [
  ["before the head", () => undefined],
  ["after the head", () => ""],
  ["after the first frames", (dialect) => CANNED_DIALECTS[dialect].opening.join("")],
  ["inside a frame", (dialect) => CANNED_DIALECTS[dialect].token("Hello").slice(0, 15)],
  ["after tokens", bodyOf],
  ["inside a tool call", (dialect) => bodyOf(dialect) + DIALECT_FACTS[dialect].twoCalls.slice(0, 2).join("")],
  ["before usage", (dialect) => bodyOf(dialect) + CANNED_DIALECTS[dialect].beforeUsage.join("")],
  ["after the end, with the body still open", (dialect) => wholeBody(CANNED_DIALECTS[dialect])],
];

let caseCount = 0;

function bodyOf(dialect: DialectName): string {
  return bodyOfTokens(CANNED_DIALECTS[dialect]);
}

describe("the Provider port", () => {
  for (const name of DIALECT_NAMES) {
    const dialect = CANNED_DIALECTS[name];
    const facts = DIALECT_FACTS[name];

    describe(`the adapter for ${name} keeps the port's promises over real HTTP`, () => {
      let upstream: FakeUpstream;
      let provider: Provider;
      let recorder: ProviderRecorder;

      beforeEach(async () => {
        upstream = await FakeUpstream.start();
        provider = openProvider(new URL(upstream.baseUrl).origin);
        recorder = new ProviderRecorder();
      });
      afterEach(async function () {
        await provider.close();
        await upstream.close();
        expect(recorder.faults).to.deep.equal([]);
        expect(recorder.ends.length).to.be.at.most(1);
        const told = JSON.stringify([recorder.ends, recorder.quotas]);
        expect(findCanaries(told), "told beside the answer").to.deep.equal([]);
        if (this.currentTest?.state === "passed") caseCount += 1;
      });

      function openProvider(origin: string): Provider {
        const config: HttpProviderConfig = {
          name: "house",
          baseUrl: `${origin}${dialect.basePath}`,
          apiKey: new Secret(CANARIES.providerKey),
          maxConnections: 1,
          connectTimeoutMs: 1_000,
        };
        const deps = { clock: systemClock, random: systemRandom, userAgent: "sluice/test" };
        const made = buildProviders([{ kind: dialect.kind, ...config }], deps).get("house");
        if (made === undefined) throw new Error("there is no provider");
        return made;
      }

      function ask(script: UpstreamScript, request: Partial<GenerationRequest> = {}) {
        upstream.script = script;
        const prompt = { role: "user" as const, parts: [{ kind: "text" as const, text: CANARIES.prompt }] };
        return recorder.start(provider, makeCall({ messages: [prompt], ...request }));
      }

      async function play(script: UpstreamScript, request: Partial<GenerationRequest> = {}) {
        ask(script, request);
        await eventually(() => expect(recorder.ends).to.have.length(1));
      }

      const begin = (exchange: UpstreamExchange) =>
        exchange.begin(200, { "content-type": dialect.contentType });
      const send =
        (...frames: readonly string[]): UpstreamScript =>
        (exchange) => {
          begin(exchange);
          exchange.write(frames.join(""));
          exchange.response.end();
        };
      const letTurnsPass = () => new Promise<void>((resolve) => later(resolve, 100));
      const sent = () => upstream.exchanges[0]?.body ?? "";

      it("answer: text, usage, finish reason and the model's name; key and prompt reach the server alone", async () => {
        await play(send(wholeBody(dialect)));
        expect(recorder.text).to.equal(ANSWER_TEXT);
        expect(recorder.end).to.include({
          kind: "completed",
          finishReason: "stop",
          responseModel: "upstream-1",
        });
        const usages = recorder.events.filter((event) => event.kind === "usage");
        expect(usages.at(-1)).to.have.property("usage").that.includes({ inputTokens: 7, outputTokens: 6 });
        expect(upstream.exchanges[0]?.headers[dialect.keyHeader]).to.include(CANARIES.providerKey);
        expect(sent()).to.include(CANARIES.prompt).and.not.include(CANARIES.providerKey);
      });

      it("stream: each token is told when it comes", async () => {
        ask((exchange) => {
          begin(exchange);
          exchange.write(dialect.opening.join(""));
        });
        for (const [index, text] of TOKENS.entries()) {
          await eventually(() => expect(upstream.exchanges).to.have.length(1));
          upstream.exchanges[0]?.write(dialect.token(text));
          await eventually(() => expect(recorder.text).to.equal(TOKENS.slice(0, index + 1).join("")));
        }
        upstream.exchanges[0]?.write([...dialect.beforeUsage, ...dialect.ending].join(""));
        upstream.exchanges[0]?.response.end();
        await eventually(() => expect(recorder.end).to.include({ kind: "completed" }));
        expect(recorder.batches.length).to.be.at.least(TOKENS.length);
      });

      it("whole answer in one JSON although a stream was asked for", async () => {
        await play((exchange) =>
          exchange.answer(200, { "content-type": "application/json" }, dialect.wholeJson),
        );
        expect(recorder.text).to.equal(ANSWER_TEXT);
        expect(recorder.end).to.include({ kind: "completed", finishReason: "stop" });
      });

      it("tools: declared to the server, and the call comes back whole", async () => {
        await play(send(...dialect.opening, ...facts.oneCall), TOOLS);
        expect(sent()).to.include('"add"').and.include("Counts.");
        const [call, ...more] = collectToolCalls(recorder.events);
        expect(more).to.deep.equal([]);
        expect(call).to.include({ name: "add", isWellFormed: true });
        expect(recorder.end).to.include({ finishReason: "tool_calls" });
      });

      it("parallel tools: the pieces of two calls stay apart, each with an id of its own", async () => {
        await play(send(...dialect.opening, ...facts.twoCalls), TOOLS);
        const calls = collectToolCalls(recorder.events);
        expect(calls.map((call) => call.name)).to.deep.equal(["add", "mul"]);
        expect(new Set(calls.map(({ callId }) => callId)).size).to.equal(2);
        for (const call of calls) {
          expect(call.isWellFormed).to.equal(true);
          expect(JSON.parse(call.arguments)).to.deep.equal({ a: 2, b: 3 });
        }
      });

      it("vision: the picture's bytes reach the server in its own form", async () => {
        const image = { kind: "image" as const, source: { kind: "data" as const, ...PICTURE } };
        const text = { kind: "text" as const, text: CANARIES.prompt };
        await play(send(wholeBody(dialect)), { messages: [{ role: "user", parts: [text, image] }] });
        expect(sent()).to.include(facts.imageIn(PICTURE.data.toString("base64"), PICTURE.mediaType));
        expect(recorder.end).to.include({ kind: "completed" });
      });

      it("reasoning: told apart from the answer, and not twice", async () => {
        const thoughts = ["first ", "then"].map((text) => facts.reasoning(text));
        const rest = wholeBody(dialect).slice(dialect.opening.join("").length);
        await play(send(...dialect.opening, ...thoughts, rest));
        expect(recorder.reasoning).to.equal("first then");
        expect(recorder.text).to.equal(ANSWER_TEXT);
      });

      it("JSON: demanded of the server, and told as it comes", async () => {
        const json = '{"a":1}';
        const ending = [...dialect.beforeUsage, ...dialect.ending];
        await play(
          send(...dialect.opening, dialect.token(json.slice(0, 4)), dialect.token(json.slice(4)), ...ending),
          {
            responseFormat: { kind: "json_object" },
          },
        );
        expect(sent()).to.include(facts.jsonDemand);
        expect(recorder.text).to.equal(json);
      });

      it("usage missing: the answer is whole and its output is unknown, not 0", async () => {
        await play(send(bodyOfTokens(dialect), ...dialect.endWithUsage(undefined)));
        expect(recorder.end).to.include({ kind: "completed", finishReason: "stop" });
        const usages = recorder.events.flatMap((event) => (event.kind === "usage" ? [event.usage] : []));
        for (const usage of usages) expect(usage.outputTokens).to.not.equal(0);
        if (name !== "anthropic") expect(usages).to.deep.equal([]);
      });

      it("cut mid-frame: stream_interrupted after what came, at every tenth byte of the body before its end", async function () {
        this.timeout(20_000);
        const body = Buffer.from(bodyOfTokens(dialect));
        for (let at = 1; at < body.length; at += 10) {
          const one = new ProviderRecorder();
          upstream.script = (exchange) => {
            begin(exchange);
            exchange.write(body.subarray(0, at));
            later(() => exchange.response.socket?.destroy(), 2);
          };
          one.start(provider, makeCall());
          await eventually(() => expect(one.ends).to.have.length(1));
          expect(one.failure, `cut at ${at}`).to.deep.equal({ class: "stream_interrupted", httpStatus: 200 });
          expect(ANSWER_TEXT.startsWith(one.text), `cut at ${at}`).to.equal(true);
          expect(one.faults).to.deep.equal([]);
        }
      });

      for (const { class: failureClass, status, body, isTelling } of facts.errors) {
        it(`error ${failureClass}: told with its status, and nothing of its text`, async () => {
          const loud = body.replace('"no"', JSON.stringify(`${CANARIES.upstreamText} ${CANARIES.prompt}`));
          await play((exchange) => exchange.answer(status, { "content-type": "application/json" }, loud));
          expect(recorder.failure).to.include({ class: failureClass, httpStatus: status });
          expect(recorder.batches).to.deep.equal([]);
        });

        if (!isTelling) continue;
        it(`error ${failureClass}: the same inside a stream that began well`, async () => {
          await play(send(bodyOfTokens(dialect), dialect.frame(body)));
          expect(recorder.text).to.equal(ANSWER_TEXT);
          expect(recorder.failure).to.include({ class: failureClass, httpStatus: 200 });
        });
      }

      it("error network: nobody listens", async () => {
        const port = await new Promise<number>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => {
            const address = server.address();
            server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
          });
        });
        const lost = openProvider(`http://127.0.0.1:${port}`);
        recorder.start(lost, makeCall());
        await eventually(() => expect(recorder.failure).to.deep.equal({ class: "network" }));
        await lost.close();
      });

      it("error network: the connection breaks before the head", async () => {
        await play((exchange) => exchange.reset());
        expect(recorder.failure).to.deep.equal({ class: "network" });
      });

      it("slow first byte: nothing is told until it comes, then everything", async () => {
        ask(() => {});
        await eventually(() => expect(upstream.exchanges).to.have.length(1));
        await letTurnsPass();
        expect(recorder).to.include({ activityCount: 0 });
        expect(recorder.ends).to.deep.equal([]);
        const [exchange] = upstream.exchanges;
        if (exchange !== undefined) send(wholeBody(dialect))(exchange);
        await eventually(() => expect(recorder.end).to.include({ kind: "completed" }));
        expect(recorder.text).to.equal(ANSWER_TEXT);
      });

      it("idle stream: silence after tokens ends nothing by itself", async () => {
        const attempt = ask((exchange) => {
          begin(exchange);
          exchange.write(bodyOfTokens(dialect));
        });
        await eventually(() => expect(recorder.text).to.equal(ANSWER_TEXT));
        await letTurnsPass();
        expect(recorder.ends).to.deep.equal([]);
        attempt.abort();
        await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
        expect(recorder.ends).to.deep.equal([]);
      });

      it("abort while it waits for a connection: nothing is sent", async () => {
        const holder = new ProviderRecorder();
        upstream.script = begin;
        const first = holder.start(provider, makeCall());
        await eventually(() => expect(holder.activityCount).to.be.above(0));
        const second = ask(begin);
        second.abort();
        await letTurnsPass();
        expect(upstream.exchanges).to.have.length(1);
        first.abort();
        await letTurnsPass();
        expect(upstream.exchanges).to.have.length(1);
        expect(recorder.ends).to.deep.equal([]);
      });

      for (const [stage, sentBy] of STAGES) {
        it(`abort ${stage}: the server sees it, and nothing more is told`, async () => {
          const bytes = sentBy(name);
          const attempt = ask((exchange) => {
            if (bytes === undefined) return;
            begin(exchange);
            if (bytes !== "") exchange.write(bytes);
          });
          await eventually(() => {
            expect(upstream.exchanges).to.have.length(1);
            if (bytes !== undefined) expect(recorder.activityCount).to.be.above(0);
          });
          await letTurnsPass();
          const { ends, batches, activityCount } = recorder;
          const [endCount, batchCount] = [ends.length, batches.length];
          attempt.abort();
          const [exchange] = upstream.exchanges;
          exchange?.write(dialect.token("too late"));
          // After a whole answer the connection is given a moment, not cut: closing the provider ends it.
          if (endCount === 0) await eventually(() => expect(exchange?.isClientGone).to.equal(true));
          await letTurnsPass();
          expect([ends.length, batches.length]).to.deep.equal([endCount, batchCount]);
          expect(recorder.activityCount).to.equal(activityCount);
        });
      }
    });
  }

  after(() => {
    if (caseCount > 0)
      console.log(`  ${caseCount} cases of the provider port passed, over ${DIALECT_NAMES.length} dialects`);
  });
});
