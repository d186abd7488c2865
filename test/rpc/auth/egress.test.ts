import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type Server, type Socket } from "node:net";
import { ScalarType } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { listContractFiles } from "../../unit/auth/served-methods.ts";
import { listHostileUrls } from "./hostile-urls.ts";
import { type GuardedSluice, startGuardedSluice } from "./start-guarded-sluice.ts";

const GENERATE = "/sluice.v1.RouterService/Generate";

describe("what callers can make Sluice connect to", () => {
  let upstream: FakeUpstream;
  let sluice: GuardedSluice;
  let sentinel: Server;
  let sentinelPort = 0;
  let sentinelHits = 0;

  before(async () => {
    upstream = await FakeUpstream.start((exchange) => {
      exchange.begin();
      exchange.sendText("hi");
      exchange.finish();
    });
    sluice = await startGuardedSluice({ upstream: upstream.baseUrl });
    sentinel = createServer((socket) => {
      sentinelHits++;
      socket.destroy();
    });
    // Also reached by every name and form of the loopback address.
    await new Promise<void>((resolve) => sentinel.listen(0, "::", resolve)).catch(() => {});
    const address = sentinel.address();
    sentinelPort = address !== null && typeof address === "object" ? address.port : 0;
  });

  after(async () => {
    // Undefined where it could not be started; then the rest must be closed all the same.
    await new Promise((resolve) => (sentinel as Server | undefined)?.close(resolve) ?? resolve(undefined));
    await (sluice as GuardedSluice | undefined)?.stop();
    await upstream.close();
  });

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(sluice.baseUrl + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  const askAbout = (url: string) => ({
    spec: { messages: [{ role: "ROLE_USER", parts: [{ text: "what is it?" }, { image: { url } }] }] },
  });
  const chatAbout = (url: string) => ({
    model: "auto",
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "what is it?" },
          { type: "image_url", image_url: { url } },
        ],
      },
    ],
  });

  it("is nothing: the contract names no address, header or credential but Image.url", async () => {
    const suspicious =
      /url|uri|host|endpoint|base|header|metadata|proxy|webhook|callback|auth|key|secret|token$/i;
    const files = await listContractFiles();
    // No caller sends what replicas tell each other.
    const named = files
      .filter(({ name }) => name !== "sluice/v1/events")
      .flatMap((file) => file.messages)
      .flatMap((message) => message.fields)
      .filter((field) => field.fieldKind !== "scalar" || field.scalar === ScalarType.STRING)
      .filter((field) => suspicious.test(field.name))
      .map((field) => `${field.parent.name}.${field.name}`);
    // time_to_first_token is a length of time.
    expect(named.filter((name) => !name.endsWith(".time_to_first_token"))).to.deep.equal(["Image.url"]);
  });

  it("is not widened by any of 300 hostile picture addresses: they are refused or handed on as they are", async function () {
    this.timeout(30_000);
    const urls = listHostileUrls(sentinelPort);
    expect(new Set(urls).size).to.be.above(300);
    const opened: Socket[] = [];
    const record = (message: unknown): void => {
      opened.push((message as { readonly socket: Socket }).socket);
    };
    const allowed = new Set([sluice.port, Number(new URL(upstream.baseUrl).port)]);
    subscribe("net.client.socket", record);
    try {
      for (const url of urls) {
        for (const [path, body] of [
          [GENERATE, askAbout(url)],
          ["/v1/chat/completions", chatAbout(url)],
        ] as const) {
          const before = upstream.exchanges.length;
          const { status, text } = await post(path, body);
          const sent = upstream.exchanges.slice(before);
          if (status === 200) {
            expect(JSON.stringify(sent[0]?.json), url).to.include(JSON.stringify(url));
            expect(url.trim()).to.match(/^https:/i);
          } else {
            expect([status, sent.length], `${url} ${text}`).to.deep.equal([400, 0]);
          }
        }
      }
    } finally {
      unsubscribe("net.client.socket", record);
    }
    expect(sentinelHits).to.equal(0);
    const strange = opened.filter(({ remotePort }) => remotePort !== undefined && !allowed.has(remotePort));
    expect(strange).to.deep.equal([]);
    const unfinished = opened.filter(({ connecting }) => connecting);
    expect(unfinished).to.deep.equal([]);
    expect(upstream.exchanges.length).to.be.above(50);
  });

  it("would be noticed: the sentinel counts a connection", async () => {
    await fetch(`http://127.0.0.1:${sentinelPort}/`).catch(() => {});
    expect(sentinelHits).to.equal(1);
    sentinelHits = 0;
  });

  it("is not widened by headers: upstream sees only ours, whatever the caller sends", async function () {
    this.timeout(20_000);
    const OURS = [
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "traceparent",
      "transfer-encoding",
      "user-agent",
      "x-request-id",
    ];
    const name = fc.oneof(
      fc.constantFrom(
        "api-key",
        "authorization",
        "baggage",
        "cookie",
        "forwarded",
        "grpc-tags-bin",
        "grpc-trace-bin",
        "http-referer",
        "openai-organization",
        "origin",
        "proxy-authorization",
        "referer",
        "traceparent",
        "tracestate",
        "user-agent",
        "via",
        "x-api-key",
        "x-base-url",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-request-id",
        "x-sluice-upstream",
      ),
      fc.stringMatching(/^x-[a-z0-9-]{1,20}$/),
    );
    const value = fc.stringMatching(/^[!-~]{0,20}$/).map((text) => `canary${text}`);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { minKeys: 1, maxKeys: 8 }), async (headers) => {
        const before = upstream.exchanges.length;
        const { status } = await post(
          GENERATE,
          { spec: { messages: [{ role: "ROLE_USER", parts: [{ text: "hello" }] }] } },
          headers,
        );
        // A page of an origin that nobody configured.
        if ("origin" in headers) {
          expect(status).to.equal(403);
          expect(upstream.exchanges.length).to.equal(before);
          return;
        }
        expect(status).to.equal(200);
        const sent = upstream.exchanges[before]?.headers ?? {};
        expect(OURS).to.include.members(Object.keys(sent));
        expect(JSON.stringify(sent)).not.to.include("canary");
        expect(sent.authorization).to.equal("Bearer provider-key");
      }),
      { numRuns: 200 },
    );
  });

  it("is cut where the operator refuses addresses, by every door, with the field named", async () => {
    const strict = await startGuardedSluice({
      upstream: upstream.baseUrl,
      sections: "images: { urls: refuse }",
    });
    try {
      const before = upstream.exchanges.length;
      for (const [path, body, field] of [
        [GENERATE, askAbout("https://example.org/x.png"), "spec.messages[0].parts[1].image.url"],
        [
          "/v1/chat/completions",
          chatAbout("https://example.org/x.png"),
          "messages[0].content[1].image_url.url",
        ],
      ] as const) {
        const response = await fetch(strict.baseUrl + path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        expect(response.status).to.equal(400);
        const text = await response.text();
        const details = [...text.matchAll(/"value":"([^"]+)"/g)].map(([, encoded = ""]) =>
          Buffer.from(encoded, "base64").toString("latin1"),
        );
        expect([text, ...details].join(" ")).to.include(field);
      }
      expect(upstream.exchanges.length).to.equal(before);
      const inline = await fetch(strict.baseUrl + GENERATE, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          spec: {
            messages: [
              { role: "ROLE_USER", parts: [{ image: { data: "iVBORw0KGgo=", mediaType: "image/png" } }] },
            ],
          },
        }),
      });
      expect(inline.status).to.equal(200);
    } finally {
      await strict.stop();
    }
  });
});
