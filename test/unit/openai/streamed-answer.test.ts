import { expect } from "chai";
import { seededRandom } from "../../../src/lib/random.ts";
import { createOpenAiDoor } from "../../../src/openai/openai-door.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeDeployment, makeModel } from "./catalog.ts";
import { PLAIN_BODY } from "./decode-by-hand.ts";
import { FakeExchange } from "./fake-exchange.ts";
import { ScriptedRouter } from "./scripted-router.ts";

function stream() {
  const router = new ScriptedRouter();
  const models = [makeModel("glm-4.6-flash")];
  const door = createOpenAiDoor({ router, models, clock: new FakeClock(), random: seededRandom(2) });
  const exchange = new FakeExchange("POST", "/v1/chat/completions", {
    ...PLAIN_BODY,
    stream: true,
    stream_options: { include_usage: true },
  });
  door.handle(exchange);
  return { exchange, route: router.last };
}

describe("a streamed answer", () => {
  it("sends nothing before the first batch, and then says who answers", () => {
    const { exchange, route } = stream();
    route.start();
    route.switchTo(2, makeDeployment("glm-4.6-flash", "other", true));
    expect(exchange.steps).to.deep.equal([]);
    route.send([{ kind: "text_delta", text: "Hel" }], 2);
    expect(exchange.steps).to.deep.equal(["begin", "write"]);
    expect(exchange.status).to.equal(200);
    expect(exchange.headers).to.include({
      "content-type": "text/event-stream; charset=utf-8",
      "x-sluice-deployment": "other/glm-4.6-flash",
      "x-sluice-attempts": "2",
      "x-sluice-simulated": "true",
    });
  });

  it("begins with the role, ends with reason, usage and [DONE], and writes each batch at once", () => {
    const { exchange, route } = stream();
    route.start();
    route.send([
      { kind: "text_delta", text: "Hel" },
      { kind: "text_delta", text: "lo" },
    ]);
    route.send([{ kind: "usage", usage: { inputTokens: 1, outputTokens: 2 } }]);
    route.finish({ usage: { inputTokens: 1, outputTokens: 2 } });
    expect(exchange.steps).to.deep.equal(["begin", "write", "write", "end"]);
    const [role, first, second, last, usage, done] = exchange.events;
    expect(role).to.have.deep.nested.property("choices[0].delta", { role: "assistant", content: "" });
    expect(first).to.have.deep.nested.property("choices[0].delta", { content: "Hel" });
    expect(second).to.have.deep.nested.property("choices[0].delta", { content: "lo" });
    expect(last).to.have.nested.property("choices[0].finish_reason", "stop");
    expect(usage).to.have.nested.property("usage.total_tokens", 3);
    expect(usage).to.have.deep.property("choices", []);
    expect(done).to.equal("[DONE]");
  });

  it("is whole even when the answer is empty", () => {
    const { exchange, route } = stream();
    route.start();
    route.finish();
    expect(exchange.steps).to.deep.equal(["begin", "write", "end"]);
    expect(exchange.events).to.have.length(3);
  });

  it("answers a failure before the first batch with its own status", () => {
    const { exchange, route } = stream();
    route.start();
    route.fail({ reason: "UPSTREAM_OVERLOADED", message: "overloaded", retryAfterMs: 500 });
    expect(exchange.steps).to.deep.equal(["respond"]);
    expect(exchange.status).to.equal(503);
    expect(exchange.headers).to.include({ "retry-after": "1", "retry-after-ms": "500" });
  });

  it("ends a failure after the first batch with an error event and a broken connection", () => {
    const { exchange, route } = stream();
    route.start();
    route.send([{ kind: "text_delta", text: "Hel" }]);
    route.fail({ reason: "STREAM_INTERRUPTED", message: "the answer broke off" });
    expect(exchange.steps).to.deep.equal(["begin", "write", "write", "abort"]);
    expect(exchange.events.at(-1)).to.deep.equal({
      error: {
        message: "the answer broke off",
        type: "server_error",
        param: null,
        code: "stream_interrupted",
      },
    });
    const sent = exchange.writes.join("");
    expect(sent)
      .not.to.contain("[DONE]")
      .and.not.to.match(/"finish_reason":"/);
  });

  it("stops reading while the caller is slow, and goes on when there is room", () => {
    const { exchange, route } = stream();
    route.start();
    expect(route.send([{ kind: "text_delta", text: "a" }])).to.equal(true);
    exchange.isWritable = false;
    expect(route.send([{ kind: "text_delta", text: "b" }])).to.equal(false);
    expect(route.resumeCount).to.equal(0);
    exchange.drain();
    expect(route.resumeCount).to.equal(1);
  });

  it("writes nothing more when the caller has left", () => {
    const { exchange, route } = stream();
    route.start();
    route.send([{ kind: "text_delta", text: "a" }]);
    exchange.cancel("caller_gone");
    expect(route.cancels).to.deep.equal(["caller_gone"]);
    expect(exchange.steps).to.deep.equal(["begin", "write"]);
  });

  it("tells of a shutdown by an error event", () => {
    const { exchange, route } = stream();
    route.start();
    route.send([{ kind: "text_delta", text: "a" }]);
    exchange.cancel("shutdown");
    expect(exchange.events.at(-1)).to.have.nested.property("error.code", "draining");
    expect(exchange.steps.at(-1)).to.equal("abort");
  });
});
