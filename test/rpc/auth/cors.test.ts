import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { expect } from "chai";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { makeKey } from "../../unit/auth/make-key.ts";
import { type GuardedSluice, startGuardedSluice } from "./start-guarded-sluice.ts";

const PAGE = "https://app.example.org";
const PATHS = ["/sluice.v1.RouterService/Generate", "/v1/chat/completions", "/v1/models"];

describe("calls of web pages", () => {
  let upstream: FakeUpstream;
  let sluice: GuardedSluice;
  let closed: GuardedSluice;

  before(async () => {
    upstream = await FakeUpstream.start();
    const { key } = makeKey();
    const sections = `cors:\n  origins: ["${PAGE}", "http://127.0.0.1:8080"]`;
    sluice = await startGuardedSluice({ upstream: upstream.baseUrl, keys: [key], sections });
    closed = await startGuardedSluice({ upstream: upstream.baseUrl });
  });

  after(async () => {
    // Undefined where it could not be started; then the rest must be closed all the same.
    await (sluice as GuardedSluice | undefined)?.stop();
    await (closed as GuardedSluice | undefined)?.stop();
    await upstream.close();
  });

  interface Answer {
    readonly status: number | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }

  function send(
    at: GuardedSluice,
    method: string,
    path: string,
    headers: Record<string, string>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host: "127.0.0.1", port: at.port, method, path, headers }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
      });
      request.on("error", reject);
      request.end();
    });
  }

  const preflight = (at: GuardedSluice, path: string, origin: string) =>
    send(at, "OPTIONS", path, {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,connect-protocol-version,content-type",
    });

  for (const path of PATHS) {
    it(`are allowed by a preflight of a configured origin, without a key: ${path}`, async () => {
      const { status, headers, body } = await preflight(sluice, path, PAGE);
      expect([status, body]).to.deep.equal([204, ""]);
      expect(headers["access-control-allow-origin"]).to.equal(PAGE);
      expect(headers["access-control-allow-methods"]).to.equal("GET, POST");
      expect(headers["access-control-allow-headers"]?.split(", ")).to.include.members([
        "authorization",
        "connect-protocol-version",
        "connect-timeout-ms",
        "content-type",
        "grpc-timeout",
        "x-grpc-web",
        "x-user-agent",
      ]);
      expect(headers.vary).to.match(/origin/i);
      expect(headers).not.to.have.property("access-control-allow-credentials");
    });

    it(`may read the answer and its error, whatever it is: ${path}`, async () => {
      const { status, headers } = await send(sluice, "POST", path, {
        origin: PAGE,
        "content-type": "application/json",
      });
      expect(status).to.equal(401);
      expect(headers["access-control-allow-origin"]).to.equal(PAGE);
      expect(headers["access-control-expose-headers"]?.split(", ")).to.include.members([
        "grpc-message",
        "grpc-status",
        "grpc-status-details-bin",
        "x-request-id",
      ]);
    });

    it(`are refused to every other origin: ${path}`, async () => {
      for (const origin of [
        "https://evil.example.org",
        "https://app.example.org.evil.org",
        "https://app.example.org:8443",
        "http://app.example.org",
        "https://APP.example.org",
        "null",
        "*",
        "",
      ]) {
        const { status, headers } = await preflight(sluice, path, origin);
        expect(status, origin).to.equal(403);
        expect(headers).not.to.have.property("access-control-allow-origin");
        const actual = await send(sluice, "POST", path, { origin, "content-type": "application/json" });
        expect(actual.headers, origin).not.to.have.property("access-control-allow-origin");
      }
    });

    it(`are refused to all where no origins are configured: ${path}`, async () => {
      const { status, headers } = await preflight(closed, path, PAGE);
      expect(status).to.equal(403);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).to.deep.equal([]);
    });
  }

  it("change nothing for callers that are no browsers", async () => {
    const { headers } = await send(sluice, "POST", PATHS[0] ?? "", { "content-type": "application/json" });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).to.deep.equal([]);
  });
});
