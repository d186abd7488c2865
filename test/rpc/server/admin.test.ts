import { copyFile } from "node:fs/promises";
import { get } from "node:https";
import { expect } from "chai";
import type { ServerOptions } from "../../../src/server/start-server.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeTestCertificate } from "../../support/test-certificates.ts";
import { sendRaw } from "./raw-http.ts";

const adminAddress = { host: "127.0.0.1", port: 0 };

describe("the admin address", () => {
  let server: TestServer;
  let render: () => string | Promise<string>;
  let details: string | undefined;

  beforeEach(async () => {
    render = () => "up 1\n";
    const metrics: ServerOptions["metrics"] = {
      contentType: "text/plain; version=0.0.4",
      render: () => render(),
    };
    details = undefined;
    server = await startTestServer({ config: { adminAddress }, metrics, describeHealth: () => details });
  });

  afterEach(() => server.drain());

  const ask = (head: string): Promise<string> =>
    sendRaw(
      server.adminAddress?.port ?? 0,
      `${head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );

  it("serves the metrics that are given to it, in their content type", async () => {
    const answer = await ask("GET /metrics");
    expect(answer)
      .to.match(/^HTTP\/1\.1 200 /)
      .and.contain("content-type: text/plain; version=0.0.4");
    expect(answer).to.match(/\r\n\r\nup 1\n$/);
    render = () => Promise.resolve("up 2\n");
    expect(await ask("GET /metrics")).to.match(/\r\n\r\nup 2\n$/);
  });

  it("is alive whether ready or not, and ready only while it serves", async () => {
    expect(await ask("GET /livez")).to.match(/^HTTP\/1\.1 200 /);
    expect(await ask("GET /readyz"))
      .to.match(/^HTTP\/1\.1 200 /)
      .and.match(/\r\n\r\nok\n$/);
    details = "sharing: cut off";
    expect(await ask("GET /readyz"))
      .to.match(/^HTTP\/1\.1 200 /)
      .and.match(/\r\n\r\nok\nsharing: cut off\n$/);
    server.readiness.setReady(false);
    expect(await ask("GET /livez")).to.match(/^HTTP\/1\.1 200 /);
    expect(await ask("GET /readyz")).to.match(/^HTTP\/1\.1 503 /);
  });

  for (const [head, status] of [
    ["GET /nothing", 404],
    ["POST /metrics", 405],
    ["HEAD /livez", 200],
    ["GET /livez?x=1", 200],
  ] as const) {
    it(`answers ${status} to ${head}`, async () => {
      expect(await ask(head)).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  }

  it("has the same guard against bad hosts as the callers' address", async () => {
    const answer = await sendRaw(
      server.adminAddress?.port ?? 0,
      "GET /livez HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n",
    );
    expect(answer).to.match(/^HTTP\/1\.1 400 /);
  });

  it("answers 500 when the metrics fail, and keeps the reason for the log", async () => {
    render = () => {
      throw new Error("the secret plan");
    };
    const answer = await ask("GET /metrics");
    expect(answer)
      .to.match(/^HTTP\/1\.1 500 /)
      .and.not.contain("secret");
    expect(server.logger.find("an admin page failed")[0]?.error).to.contain("the secret plan");
  });
});

describe("addresses", () => {
  it("of this machine alone are not", async () => {
    const server = await startTestServer({ config: { adminAddress } });
    expect(server.logger.lines.filter(({ level }) => level === "warn")).to.deep.equal([]);
    await server.drain();
  });

  it("that are taken make the start fail, and nothing stays open", async () => {
    const server = await startTestServer();
    let failure: unknown;
    try {
      await startTestServer({ config: { address: server.address, adminAddress } });
    } catch (error) {
      failure = error;
    }
    expect(failure).to.have.property("code", "EADDRINUSE");
    await server.drain();
  });
});

describe("the admin address over TLS", () => {
  it("shows the certificate of the callers' address, and takes a new one with it", async () => {
    const [certificate, next] = [await makeTestCertificate(), await makeTestCertificate()];
    const server = await startTestServer({ config: { adminAddress, adminTls: true, tls: certificate.tls } });
    const askLivez = (ca: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const port = server.adminAddress?.port;
        get({ host: "127.0.0.1", port, path: "/livez", ca, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on("error", reject);
      });
    try {
      expect(await askLivez(certificate.ca)).to.equal(200);
      for (const file of ["certificateFile", "privateKeyFile"] as const) {
        await copyFile(next.tls[file], certificate.tls[file]);
      }
      await server.reloadCertificates();
      expect(await askLivez(next.ca)).to.equal(200);
    } finally {
      await server.drain();
      await Promise.all([certificate.remove(), next.remove()]);
    }
  });
});
