import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { expect } from "chai";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { CANARIES, findCanaries } from "../../support/canaries.ts";
import { FakeUpstream, type UpstreamScript } from "../../support/fake-upstream.ts";
import { makeKey } from "../../unit/auth/make-key.ts";
import { type GuardedSluice, startGuardedSluice } from "./start-guarded-sluice.ts";

/** A provider at its worst: it repeats the key and the prompt that it was sent. */
const LOUD = JSON.stringify({
  error: {
    message: `${CANARIES.upstreamText} key ${CANARIES.providerKey} prompt ${CANARIES.prompt}`,
    type: CANARIES.upstreamText,
    code: "invalid_request_error",
  },
});

const fail =
  (status: number, headers: Record<string, string> = {}): UpstreamScript =>
  (exchange) =>
    exchange.answer(status, { "content-type": "application/json", ...headers }, LOUD);

const succeed: UpstreamScript = (exchange) => {
  exchange.begin();
  exchange.sendText("fine");
  exchange.finish();
};

/** What the provider does, and whether the call may succeed. */
const UPSTREAMS: Readonly<Record<string, UpstreamScript>> = {
  "a good answer": succeed,
  "400": fail(400),
  "401": fail(401, { "www-authenticate": CANARIES.upstreamText }),
  "404": fail(404),
  "413": fail(413),
  "429": fail(429, { "retry-after": "0", "x-note": CANARIES.upstreamText }),
  "500": fail(500),
  "503": fail(503),
  redirect: fail(302, { location: `http://127.0.0.1:9/${CANARIES.providerKey}` }),
  html: (exchange) =>
    exchange.answer(502, { "content-type": "text/html" }, `<h1>${CANARIES.upstreamText}</h1>${LOUD}`),
  "html with 200": (exchange) =>
    exchange.answer(200, { "content-type": "text/html" }, `<h1>${CANARIES.upstreamText}</h1>`),
  "broken JSON": (exchange) => {
    exchange.begin();
    exchange.write(`data: {"${CANARIES.upstreamText}": ${CANARIES.prompt}\n\n`);
    exchange.response.end();
  },
  "an error in the stream": (exchange) => {
    exchange.begin();
    exchange.write(`data: ${LOUD}\n\n`);
    exchange.response.end();
  },
  "cut before the answer": (exchange) => exchange.reset(),
  "cut in the answer": (exchange) => {
    exchange.begin();
    exchange.sendText("fine");
    setImmediate(() => exchange.reset());
  },
  "no answer in time": () => {},
};

describe("canaries: secrets and prompts", () => {
  const caller = makeKey({ scopes: ["generate", "metrics"] });
  const wrong = makeKey();
  const secrets = [
    ...Object.values(CANARIES),
    ...[caller, wrong].map(({ text }) => text.split("_")[2] ?? text),
    Buffer.from(caller.key.secretHash).toString("hex"),
  ];
  let upstream: FakeUpstream;
  let sluice: GuardedSluice;
  /** Everything that callers were given. */
  let given = "";

  /** Everything that was logged so far. */
  let logged = "";

  // A new one each time: a deployment that failed before would be left alone for a while.
  beforeEach(async () => {
    given = "";
    upstream = await FakeUpstream.start();
    sluice = await startGuardedSluice({
      upstream: upstream.baseUrl,
      providerKey: CANARIES.providerKey,
      keys: [caller.key],
    });
  });

  afterEach(async () => {
    const answer = await fetch(`http://127.0.0.1:${sluice.adminAddress?.port}/metrics`, {
      headers: { authorization: `Bearer ${caller.text}` },
    });
    const page = await answer.text();
    await sluice.stop();
    await upstream.close();
    logged += sluice.readLog();
    expect(findCanaries(given, secrets), "given to the caller").to.deep.equal([]);
    expect(findCanaries(sluice.readLog(), secrets), "in the log").to.deep.equal([]);
    expect(page).to.include("sluice_requests_total").and.not.include(caller.key.id);
    expect(findCanaries(page, secrets), "on the metrics page").to.deep.equal([]);
  });

  /** Keeps what a client can see of headers and trailers, those of errors too. */
  const watch: Interceptor = (next) => async (request) => {
    const response = await next(request);
    given += JSON.stringify([...response.header, ...response.trailer]);
    return response;
  };
  const transports = () => {
    const options = { baseUrl: sluice.baseUrl, interceptors: [watch] };
    return [
      createGrpcTransport(options),
      createGrpcWebTransport({ ...options, httpVersion: "1.1" }),
      createConnectTransport({ ...options, httpVersion: "1.1" }),
      createConnectTransport({ ...options, httpVersion: "2" }),
    ];
  };
  const ask = (text: string) => ({
    spec: { messages: [{ role: Role.USER, parts: [{ part: { case: "text" as const, value: text } }] }] },
  });
  const headers = (text = caller.text) => ({ authorization: `Bearer ${text}` });

  function take(thrown: unknown): void {
    const error = ConnectError.from(thrown);
    given += `${error.message}${JSON.stringify([...error.metadata])}`;
    for (const detail of error.details) {
      if ("value" in detail && detail.value instanceof Uint8Array) {
        given += Buffer.from(detail.value).toString("latin1");
      }
    }
  }

  /** One prompt by every way there is; what comes back is kept. */
  async function askEverywhere(
    prompt: string,
    options: { readonly key?: string; readonly timeoutMs?: number; readonly cancelMs?: number } = {},
  ): Promise<void> {
    const calls = transports().flatMap((transport) => {
      const client = createClient(RouterService, transport);
      const { timeoutMs } = options;
      const leave = options.cancelMs === undefined ? undefined : AbortSignal.timeout(options.cancelMs);
      const callOptions = {
        headers: headers(options.key),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(leave === undefined ? {} : { signal: leave }),
      };
      return [
        client.generate(ask(prompt), callOptions),
        (async () => {
          for await (const event of client.streamGenerate(ask(prompt), callOptions)) {
            given += JSON.stringify(event, (_key, value) => (typeof value === "bigint" ? `${value}` : value));
          }
        })(),
      ];
    });
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === "rejected") take(result.reason);
    }
    for (const stream of [false, true]) {
      const response = await fetch(`${sluice.baseUrl}/v1/chat/completions`, {
        method: "POST",
        headers: { ...headers(options.key), "content-type": "application/json" },
        body: JSON.stringify({ model: "auto", stream, messages: [{ role: "user", content: prompt }] }),
        ...(options.cancelMs === undefined ? {} : { signal: AbortSignal.timeout(options.cancelMs) }),
      }).catch(() => undefined);
      if (response === undefined) continue;
      given += JSON.stringify([...response.headers]);
      given += await response.text().catch(() => "");
    }
  }

  it("would be found: as they are, and in the Base64 of error details", () => {
    for (const secret of secrets) {
      expect(findCanaries(`a line with ${secret} in it`, secrets)).to.deep.equal([secret]);
      const encoded = Buffer.from(`\x08\x03 some bytes before ${secret}`).toString("base64");
      expect(findCanaries(`{"value":"${encoded}"}`, secrets)).to.deep.equal([secret]);
    }
  });

  for (const [name, script] of Object.entries(UPSTREAMS)) {
    it(`stay where they belong when the provider does this: ${name}`, async function () {
      this.timeout(8_000);
      upstream.script = script;
      await askEverywhere(CANARIES.prompt);
      const seen = upstream.exchanges;
      // The test would be worth nothing if the provider had not been asked.
      expect(seen).not.to.be.empty;
      for (const { body, headers: sent } of seen) {
        expect(body).to.include(CANARIES.prompt);
        expect(sent.authorization).to.equal(`Bearer ${CANARIES.providerKey}`);
      }
    });
  }

  it("stay where they belong when the caller's deadline passes or the caller leaves", async function () {
    this.timeout(8_000);
    upstream.script = (exchange) => exchange.begin();
    await askEverywhere(CANARIES.prompt, { timeoutMs: 30 });
    await askEverywhere(CANARIES.prompt, { cancelMs: 30 });
  });

  it("stay where they belong when the key is wrong or has another form", async () => {
    for (const key of [wrong.text, `${caller.text}x`, `sk-${CANARIES.prompt}`]) {
      await askEverywhere(CANARIES.prompt, { key });
    }
  });

  it("stay where they belong when the request is too large", async () => {
    await askEverywhere(`${CANARIES.prompt}${"x".repeat(80 * 1024)}`);
  });

  it("stay where they belong when the request is wrong in every field a prompt can be in", async () => {
    const post = async (path: string, body: string) => {
      const response = await fetch(sluice.baseUrl + path, {
        method: "POST",
        headers: { ...headers(), "content-type": "application/json" },
        body,
      });
      given += JSON.stringify([...response.headers]) + (await response.text());
      expect(response.status, `${path} ${body}`).to.be.within(400, 499);
    };
    const prompt = CANARIES.prompt;
    const part = { text: prompt };
    for (const spec of [
      { messages: [{ role: 0, parts: [part] }] },
      { messages: [{ role: "ROLE_USER", parts: [part], name: `${prompt} ` }] },
      { messages: [{ role: "ROLE_USER", parts: [{ image: { url: `http://${prompt}/` } }] }] },
      { messages: [{ role: "ROLE_TOOL", parts: [part] }] },
      { messages: [{ role: "ROLE_USER", parts: [part] }], dialogue: { query: prompt } },
      { messages: [{ role: "ROLE_USER", parts: [part] }], sampling: { temperature: 9 } },
      { messages: [{ role: "ROLE_USER", parts: [part] }], tools: [{ name: `${prompt}!` }] },
      { dialogue: { promptTemplate: prompt } },
    ]) {
      await post("/sluice.v1.RouterService/Generate", JSON.stringify({ spec }));
    }
    const content = { role: "user", content: prompt };
    for (const body of [
      { messages: [{ ...content, role: prompt }] },
      { messages: [{ ...content, name: `${prompt} ` }] },
      { messages: [{ role: "user", content: { text: prompt } }] },
      { messages: [{ role: "user", content: [{ type: "text", text: [prompt] }] }] },
      { messages: [content], temperature: prompt },
      { messages: prompt },
      { messages: [content], model: 1 },
    ]) {
      await post("/v1/chat/completions", JSON.stringify({ model: "auto", ...body }));
    }
    await post("/v1/chat/completions", `{"messages": [{"role": "user", "content": "${prompt}`);
  });

  it("were logged about: the log is not silent, and every line is JSON", () => {
    const lines = logged.trimEnd().split("\n");
    expect(lines.length).to.be.above(100);
    for (const line of lines) expect(() => JSON.parse(line)).not.to.throw();
    expect(logged).to.include("attempt failed").and.include("not admitted");
  });
});
