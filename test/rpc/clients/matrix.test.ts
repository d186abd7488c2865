import { expect } from "chai";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import {
  FinishReason,
  GenerationFailureSchema,
  Outcome,
  Role,
} from "../../../gen/sluice/v1/generation_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { describeDeployment, readMetrics } from "../../support/read-metrics.ts";
import { MODEL, startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";
import { catchCallerError, type RpcCaller, readAll, rpcClients, type Spec } from "./rpc-caller.ts";

const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
};
/** Enough for a request to reach the model server on a busy machine. */
const TIMEOUT_MS = 200;
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Reasoning, text, a tool call and a usage that grows, over several reads. */
function answerRichly(exchange: UpstreamExchange): void {
  const delta = (value: object, usage?: object) =>
    exchange.send({ model: "upstream-1", choices: [{ index: 0, delta: value }], ...(usage && { usage }) });
  exchange.begin();
  delta({ reasoning_content: "Hm. " });
  delta({ content: "Rayleigh – " }, { prompt_tokens: 7, completion_tokens: 2 });
  delta({ content: "散射." }, { prompt_tokens: 7, completion_tokens: 5 });
  delta({ tool_calls: [{ index: 0, id: "call_1", function: { name: "look", arguments: '{"at":' } }] });
  delta({ tool_calls: [{ index: 0, function: { arguments: '"sky"}' } }] });
  exchange.send({
    model: "upstream-1",
    choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }],
    usage: { prompt_tokens: 7, completion_tokens: 9 },
  });
  exchange.write("data: [DONE]\n\n");
  exchange.response.end();
}

for (const { name, open } of rpcClients) {
  describe(`a caller with ${name}`, () => {
    let upstream: FakeUpstream;
    let sluice: TestSluice;
    let caller: RpcCaller;

    beforeEach(async () => {
      upstream = await FakeUpstream.start(answerRichly);
      sluice = await startSluiceOver({ only: upstream.baseUrl });
      caller = open(sluice.port);
    });

    afterEach(async () => {
      caller.close();
      await sluice.stop();
      await upstream.close();
    });

    it("gets a whole answer", async () => {
      const answer = await caller.generate(SPEC);
      expect(answer).to.include({
        model: MODEL,
        deployment: `only/${MODEL}`,
        provider: "only",
        responseModel: "upstream-1",
        reasoningText: "Hm. ",
        text: "Rayleigh – 散射.",
        finishReason: FinishReason.TOOL_CALLS,
        simulated: false,
      });
      expect(answer.toolCalls).to.have.length(1);
      expect(answer.toolCalls[0]).to.include({ callId: "call_1", name: "look", arguments: '{"at":"sky"}' });
      // 7 tokens at 1,000 and 9 at 2,000 nano-USD.
      expect(answer.usage).to.include({ inputTokenCount: 7n, outputTokenCount: 9n, costNanoUsd: 25_000n });
      expect(answer.attempts.map(({ outcome }) => outcome)).to.deep.equal([Outcome.SUCCESS]);
    });

    it("gets a stream without gaps that begins with started and ends with finished", async () => {
      const events = await readAll(caller.stream(SPEC));
      expect(events.map(({ sequenceNumber }) => sequenceNumber)).to.deep.equal(
        events.map((_, index) => index),
      );
      const kinds = events.map(({ event }) => event.case);
      expect(kinds[0]).to.equal("started");
      expect(kinds.at(-1)).to.equal("finished");
      expect(kinds.filter((kind) => kind === "started" || kind === "finished")).to.have.length(2);
      const text = events.map(({ event }) => (event.case === "textDelta" ? event.value.text : "")).join("");
      expect(text).to.equal("Rayleigh – 散射.");
      const pieces = events.flatMap(({ event }) => (event.case === "toolCallDelta" ? [event.value] : []));
      expect(pieces.map((piece) => piece.argumentsDelta).join("")).to.equal('{"at":"sky"}');
      expect(pieces.filter((piece) => piece.last)).to.have.length(1);
    });

    it("gets usage that only grows, the last of which counts", async () => {
      const events = await readAll(caller.stream(SPEC));
      const counts = events.flatMap(({ event }) =>
        event.case === "usage" ? [Number(event.value.outputTokenCount)] : [],
      );
      expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b));
      expect(counts.at(-1)).to.equal(9);
      const last = events.at(-1)?.event;
      expect(last?.case === "finished" && last.value.usage).to.include({ outputTokenCount: 9n });
    });

    it("gets every wrong field of a request by name", async () => {
      const spec: Spec = { ...SPEC, sampling: { temperature: 9, topP: 0 } };
      for (const run of [() => caller.generate(spec), () => readAll(caller.stream(spec))]) {
        const error = await catchCallerError(run());
        expect(error.code).to.equal("INVALID_ARGUMENT");
        expect(error.detail(ErrorInfoSchema)).to.include({ reason: "INVALID_REQUEST", domain: "sluice" });
        const fields = error.detail(BadRequestSchema).fieldViolations.map(({ field }) => field);
        expect(fields).to.have.members(["spec.sampling.temperature", "spec.sampling.top_p"]);
      }
      expect(upstream.exchanges).to.deep.equal([]);
    });

    it("learns from the error what was tried", async () => {
      upstream.script = (exchange) => exchange.answer(500, {}, '{"error":{"code":"broken_pipe"}}');
      for (const run of [() => caller.generate(SPEC), () => readAll(caller.stream(SPEC))]) {
        const error = await catchCallerError(run());
        expect(error.code).to.equal("UNAVAILABLE");
        expect(error.message).to.contain(`only/${MODEL}`).and.contain("500");
        const info = error.detail(ErrorInfoSchema);
        expect(info).to.include({ reason: "UPSTREAM_ERROR", domain: "sluice" });
        expect(info.metadata).to.include({
          httpStatus: "500",
          providerCode: "broken_pipe",
          attemptCount: "1",
        });
        const { attempts, attemptCount } = error.detail(GenerationFailureSchema);
        expect(attemptCount).to.equal(1);
        expect(attempts[0]).to.include({
          outcome: Outcome.SERVER_ERROR,
          httpStatus: 500,
          providerCode: "broken_pipe",
        });
      }
    });

    it("gets DEADLINE_EXCEEDED at its deadline, and the model server is let go of", async () => {
      // The connection is there already, so that the deadline is for the calls alone.
      await caller.generate(SPEC);
      upstream.script = (exchange) => {
        exchange.begin();
        exchange.sendText("The");
      };
      const runs = [
        caller.generate(SPEC, { timeoutMs: TIMEOUT_MS }),
        readAll(caller.stream(SPEC, { timeoutMs: TIMEOUT_MS })),
      ].map(catchCallerError);
      for (const run of runs) expect((await run).code).to.equal("DEADLINE_EXCEEDED");
      await eventually(() => {
        expect(upstream.exchanges.map(({ isClientGone }) => isClientGone)).to.deep.equal([false, true, true]);
      });
      await eventually(async () => {
        const snapshot = await readMetrics(sluice.baseUrl);
        expect(snapshot.requests).to.include({ inFlightCount: 0, startedCount: 3n });
        // A caller in a hurry says nothing about the deployment's health.
        expect(describeDeployment(snapshot, "only")).to.deep.equal({
          breaker: "CLOSED",
          consecutiveFailureCount: 0,
          inFlightCount: 0,
          outcomes: { SUCCESS: 1, CANCELLED: 2 },
        });
      });
    });

    it("finds its request id in the answer and its trace at the model server", async () => {
      const headers = { "x-request-id": "order-17", traceparent: TRACEPARENT };
      const echoed: (string | undefined)[] = [];
      const onHeader = (read: (header: string) => string | undefined) => echoed.push(read("x-request-id"));
      const answer = await caller.generate(SPEC, { headers, onHeader });
      const [started] = await readAll(caller.stream(SPEC, { headers, onHeader }));
      expect(answer.requestId).to.equal("order-17");
      expect(started?.event.case === "started" && started.event.value.requestId).to.equal("order-17");
      expect(echoed).to.deep.equal(["order-17", "order-17"]);
      expect(upstream.exchanges.map((exchange) => exchange.headers.traceparent)).to.deep.equal([
        TRACEPARENT,
        TRACEPARENT,
      ]);
      // Each attempt has an id of its own, so that two of one request can be told apart there.
      const upstreamIds = upstream.exchanges.map((exchange) => exchange.headers["x-request-id"]);
      expect(new Set(upstreamIds).size).to.equal(2);
      await eventually(() => {
        const logged = sluice.logger.find("call").map(({ requestId }) => requestId);
        expect(logged).to.deep.equal(["order-17", "order-17"]);
      });
    });
  });
}
