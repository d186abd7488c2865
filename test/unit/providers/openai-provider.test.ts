import { once } from "node:events";
import net from "node:net";
import { expect } from "chai";
import type { OpenAiProviderConfig } from "../../../src/config/config.ts";
import type { Provider } from "../../../src/domain/ports.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { createOpenAiProvider } from "../../../src/providers/openai/openai-provider.ts";
import { makeCall } from "../../conformance/provider-calls.ts";
import { ProviderRecorder } from "../../conformance/provider-recorder.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeUpstream, type UpstreamScript } from "../../support/fake-upstream.ts";

const JSON_TYPE = { "content-type": "application/json" };

describe("The OpenAI provider over real HTTP", () => {
  let upstream: FakeUpstream;
  let provider: Provider;
  let clock: FakeClock;
  const others: Provider[] = [];

  beforeEach(async () => {
    upstream = await FakeUpstream.start();
    clock = new FakeClock();
    provider = makeProvider();
  });
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.close()));
    await upstream.close();
    expect(clock.pendingCount).to.equal(0);
  });

  function makeProvider(changes: Partial<OpenAiProviderConfig> = {}): Provider {
    const made = createOpenAiProvider(
      {
        kind: "openai",
        name: "acme",
        baseUrl: upstream.baseUrl,
        apiKey: new Secret("sk-test"),
        maxConnections: 2,
        connectTimeoutMs: 1_000,
        ...changes,
      },
      { clock, userAgent: "sluice/1.2.3" },
    );
    others.push(made);
    return made;
  }

  async function ask(script: UpstreamScript, asked = provider): Promise<ProviderRecorder> {
    upstream.script = script;
    const recorder = new ProviderRecorder();
    recorder.start(asked, makeCall());
    await eventually(() => expect(recorder.ends).to.have.length(1));
    expect(recorder.faults).to.deep.equal([]);
    return recorder;
  }

  const answer: UpstreamScript = (exchange) => {
    exchange.begin();
    exchange.sendText("Hello");
    exchange.finish();
  };

  it("tells of its limits once, before the answer, as failures do too", async () => {
    const limits = {
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-reset-requests": "1s",
    };
    const reading = { requests: { limit: 60, remaining: 59, resetMs: 1_000 } };
    const answered = await ask((exchange) => {
      exchange.begin(200, limits);
      exchange.sendText("Hello");
      exchange.finish();
    });
    expect(answered.quotas).to.deep.equal([reading]);
    const refused = await ask((exchange) => exchange.answer(429, { ...JSON_TYPE, ...limits }, "{}"));
    expect(refused.quotas).to.deep.equal([reading]);
    expect((await ask(answer)).quotas).to.deep.equal([]);
  });

  it("sends the request with its headers and nothing of the key elsewhere", async () => {
    upstream.script = answer;
    const recorder = new ProviderRecorder();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    recorder.start(provider, makeCall({}, { attemptId: "attempt-7", traceparent }));
    await eventually(() => expect(recorder.ends).to.have.length(1));
    const [exchange] = upstream.exchanges;
    expect(exchange).to.include({ method: "POST", path: "/v1/chat/completions" });
    expect(exchange?.headers).to.include({
      authorization: "Bearer sk-test",
      traceparent,
      "x-request-id": "attempt-7",
      "user-agent": "sluice/1.2.3",
      "accept-encoding": "identity",
      "content-type": "application/json",
    });
    expect(exchange?.json).to.include({ model: "mini-2026", stream: true });
    expect(exchange?.body).to.not.include("sk-test");
  });

  it("sends no authorization where there is no key and no traceparent where there is none", async () => {
    await ask(answer, makeProvider({ apiKey: undefined }));
    expect(upstream.exchanges[0]?.headers).to.not.have.any.keys("authorization", "traceparent");
  });

  it("uses one connection again for the next attempt", async () => {
    await ask(answer);
    await eventually(async () => {
      await ask(answer);
      expect(upstream.exchanges.at(-1)?.connectionNumber).to.equal(
        upstream.exchanges.at(-2)?.connectionNumber,
      );
    });
  });

  it("gives all events of one network read in one batch, whatever the HTTP chunks", async () => {
    const recorder = await ask((exchange) => {
      exchange.begin();
      exchange.response.socket?.cork();
      for (let index = 0; index < 20; index++) exchange.sendText(`${index} `);
      exchange.finish();
      exchange.response.socket?.uncork();
    });
    expect(recorder.events.length).to.equal(21);
    expect(recorder.batches.length).to.be.at.most(2);
  });

  it("tells the upstream of an abort by closing the connection within 50 ms", async () => {
    const recorder = new ProviderRecorder();
    upstream.script = (exchange) => exchange.begin();
    const attempt = recorder.start(provider, makeCall());
    await eventually(() => expect(recorder.activityCount).to.equal(1));
    const abortedMs = performance.now();
    attempt.abort();
    await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
    expect(performance.now() - abortedMs).to.be.below(50);
  });

  it("never sends an attempt that was aborted while it waited for a connection", async () => {
    const single = makeProvider({ maxConnections: 1 });
    const [first, second, third] = [new ProviderRecorder(), new ProviderRecorder(), new ProviderRecorder()];
    upstream.script = (exchange) => exchange.begin();
    first.start(single, makeCall());
    await eventually(() => expect(upstream.exchanges).to.have.length(1));
    second.start(single, makeCall()).abort();
    third.start(single, makeCall({}, { attemptId: "third" }));
    upstream.exchanges[0]?.finish();
    await eventually(() => expect(upstream.exchanges).to.have.length(2));
    expect(upstream.exchanges[1]?.headers["x-request-id"]).to.equal("third");
    expect(upstream.exchanges[1]?.connectionNumber).to.equal(upstream.exchanges[0]?.connectionNumber);
    expect(second.ends).to.deep.equal([]);
    upstream.exchanges[1]?.finish();
    await eventually(() => expect(third.ends).to.have.length(1));
  });

  it("stops reading from the socket while paused, so that the upstream has to wait", async () => {
    let leftCount = 2_000;
    const recorder = new ProviderRecorder();
    upstream.script = (exchange) => {
      exchange.begin();
      const pump = () => {
        while (leftCount-- > 0) {
          if (exchange.sendText("x".repeat(10_000))) continue;
          exchange.response.once("drain", pump);
          return;
        }
        exchange.finish();
      };
      pump();
    };
    const attempt = recorder.start(provider, makeCall());
    recorder.onBatch = () => attempt.pause();
    await eventually(() => expect(recorder.batches).to.have.length(1));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (let count = 0; count < 500; count++) await turn();
    expect(leftCount).to.be.greaterThan(0);
    const stuckCount = leftCount;
    for (let count = 0; count < 500; count++) await turn();
    expect(leftCount).to.equal(stuckCount);
    expect(recorder.batches.length).to.be.at.most(2);
    recorder.onBatch = () => {};
    attempt.resume();
    await eventually(() => expect(recorder.ends).to.have.length(1));
    expect(recorder.text.length).to.equal(20_000_000);
  });

  describe("turns what a server does wrong into a failure", () => {
    it("by status and code, with the wish to wait", async () => {
      const body = '{"error":{"code":"1302","message":"secret prompt"}}';
      const { failure } = await ask((exchange) =>
        exchange.answer(429, { ...JSON_TYPE, "retry-after": "2" }, body),
      );
      expect(failure).to.deep.equal({
        class: "rate_limit",
        httpStatus: 429,
        providerCode: "1302",
        retryAfterMs: 2_000,
      });
    });

    it("without following redirects", async () => {
      const { failure } = await ask((exchange) =>
        exchange.answer(307, { location: `${upstream.baseUrl}/else` }, ""),
      );
      expect(failure).to.include({ class: "server_error", httpStatus: 307 });
      expect(upstream.exchanges).to.have.length(1);
    });

    it("reading no more than 64 KiB of an error", async () => {
      const { failure } = await ask((exchange) => {
        exchange.begin(500, JSON_TYPE);
        exchange.write(Buffer.alloc(1_000_000, "a"));
      });
      expect(failure).to.deep.equal({ class: "server_error", httpStatus: 500 });
      await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
    });

    it("without waiting for the end of an error that does not end", async () => {
      const recorder = new ProviderRecorder();
      upstream.script = (exchange) => {
        exchange.begin(429, JSON_TYPE);
      };
      recorder.start(provider, makeCall());
      await eventually(() => expect(recorder.activityCount).to.equal(1));
      upstream.exchanges[0]?.write('{"error":{"code":"1113"}}');
      await eventually(() => expect(recorder.activityCount).to.equal(2));
      await clock.advance(999);
      expect(recorder.ends).to.deep.equal([]);
      await clock.advance(1);
      expect(recorder.failure).to.include({ class: "quota_exhausted", httpStatus: 429 });
    });

    it("when it encodes the answer though nobody asked for that", async () => {
      const { failure } = await ask((exchange) => exchange.begin(200, { "content-encoding": "gzip" }));
      expect(failure).to.deep.equal({ class: "server_error", httpStatus: 200 });
    });

    it("when it answers 204, or 200 with a page or with nothing", async () => {
      expect((await ask((exchange) => exchange.answer(204, {}, ""))).failure?.class).to.equal(
        "stream_interrupted",
      );
      expect((await ask((exchange) => exchange.answer(200, {}, ""))).failure?.class).to.equal(
        "stream_interrupted",
      );
      expect((await ask((exchange) => exchange.answer(200, {}, "<html>"))).failure?.class).to.equal(
        "server_error",
      );
    });

    it("when the connection breaks before the answer, be it after an informational one", async () => {
      expect((await ask((exchange) => exchange.reset())).failure).to.deep.equal({ class: "network" });
      const early = await ask((exchange) => {
        exchange.writeRaw("HTTP/1.1 103 Early Hints\r\n\r\n");
        setImmediate(() => exchange.response.socket?.destroy());
      });
      expect(early.failure).to.deep.equal({ class: "network" });
    });

    it("when the connection breaks after the head of a 200", async () => {
      const recorder = new ProviderRecorder();
      upstream.script = (exchange) => exchange.begin();
      recorder.start(provider, makeCall());
      await eventually(() => expect(recorder.activityCount).to.equal(1));
      upstream.exchanges[0]?.reset();
      await eventually(() => expect(recorder.ends).to.have.length(1));
      expect(recorder.failure).to.deep.equal({ class: "stream_interrupted", httpStatus: 200 });
    });

    it("when it lies about the length", async () => {
      const event = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
      for (const length of [event.length + 10, event.length - 10]) {
        const { failure } = await ask((exchange) => {
          exchange.writeRaw(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${event}`);
          setImmediate(() => exchange.response.socket?.destroy());
        });
        expect(failure).to.deep.equal({ class: "stream_interrupted", httpStatus: 200 });
      }
    });

    it("when it does not speak HTTP or sends a head without end", async () => {
      const { failure } = await ask((exchange) => exchange.writeRaw("SSH-2.0-nope\r\n\r\n"));
      expect(failure).to.deep.equal({ class: "server_error" });
      const huge = await ask((exchange) => exchange.writeRaw(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(100_000)}`));
      expect(huge.failure).to.deep.equal({ class: "server_error" });
    });

    it("when nobody listens", async () => {
      const server = net.createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as net.AddressInfo;
      server.close();
      await once(server, "close");
      const recorder = await ask(answer, makeProvider({ baseUrl: `http://127.0.0.1:${port}` }));
      expect(recorder.failure).to.deep.equal({ class: "network" });
    });

    it("when the key cannot be sent, without telling the key", async () => {
      const recorder = await ask(answer, makeProvider({ apiKey: new Secret("sk\nx") }));
      expect(recorder.failure).to.deep.equal({ class: "invalid_request" });
      expect(upstream.exchanges).to.deep.equal([]);
    });
  });

  it("takes an answer for whole at [DONE] and lets a connection go that stays open after it", async () => {
    const { end } = await ask((exchange) => {
      exchange.begin();
      exchange.sendText("Hi");
      exchange.write("data: [DONE]\n\n");
    });
    expect(end).to.include({ kind: "completed", finishReason: "stop", rawFinishReason: "" });
    expect(upstream.exchanges[0]?.isClientGone).to.equal(false);
    await clock.advance(2_000);
    await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
  });

  it("takes an answer for whole when nothing more comes after its finish reason and nobody hangs up", async () => {
    upstream.script = (exchange) => {
      exchange.begin();
      exchange.sendText("Hello");
      exchange.send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    };
    const recorder = new ProviderRecorder();
    recorder.start(provider, makeCall());
    await eventually(() => expect(clock.pendingCount).to.equal(1));
    expect(recorder.ends).to.deep.equal([]);
    await clock.advance(2_000);
    await eventually(() => expect(recorder.ends[0]).to.include({ kind: "completed", finishReason: "stop" }));
    await clock.advance(2_000);
    await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
  });

  it("takes an answer for whole when nothing but comments comes after its finish reason", async () => {
    upstream.script = (exchange) => {
      exchange.begin();
      exchange.sendText("Hello");
      exchange.send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    };
    const recorder = new ProviderRecorder();
    recorder.start(provider, makeCall());
    await eventually(() => expect(clock.pendingCount).to.equal(1));
    for (const count of [1, 2]) {
      await clock.advance(1_000);
      const { activityCount } = recorder;
      upstream.exchanges[0]?.write(`: still here ${count}\n\n`);
      if (count === 1) await eventually(() => expect(recorder.activityCount).to.be.above(activityCount));
    }
    await eventually(() => expect(recorder.ends[0]).to.include({ kind: "completed", finishReason: "stop" }));
    await clock.advance(2_000);
    await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
  });

  it("takes an answer for whole when the connection breaks after its finish reason", async () => {
    const { end } = await ask((exchange) => {
      exchange.begin();
      exchange.sendText("Hi");
      exchange.send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
      setImmediate(() => exchange.response.socket?.destroy());
    });
    expect(end).to.include({ kind: "completed", finishReason: "stop" });
  });

  it("passes over informational answers", async () => {
    const recorder = await ask((exchange) => {
      exchange.response.writeEarlyHints({ link: "</a>; rel=preload" });
      answer(exchange);
    });
    expect(recorder.text).to.equal("Hello");
  });

  it("gives up a connection that takes too long to open, naming the timer", async () => {
    // Accepts, but never answers the TLS handshake.
    const server = net.createServer((socket) => socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const slow = makeProvider({ baseUrl: `https://127.0.0.1:${port}`, connectTimeoutMs: 30 });
    const recorder = await ask(answer, slow);
    expect(recorder.failure).to.deep.equal({ class: "timeout", timer: "connect" });
    server.close();
    await once(server, "close");
  });
});
