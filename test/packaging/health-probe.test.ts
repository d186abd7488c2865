import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { startProgram } from "../support/run-program.ts";

const PROBE = join(import.meta.dirname, "../../bin/health-probe.js");

async function probe(address: string | undefined, timeoutMs?: number) {
  const { SLUICE_ADMIN_ADDRESS: _, ...env } = process.env;
  const args = timeoutMs === undefined ? [] : [String(timeoutMs)];
  return startProgram([process.execPath, PROBE, ...args], {
    env: address === undefined ? env : { ...env, SLUICE_ADMIN_ADDRESS: address },
  }).ended;
}

describe("bin/health-probe.js", function () {
  // Each test starts a process.
  this.timeout(10_000);

  let server: Server | undefined;

  async function serve(host: string, listener: RequestListener): Promise<number> {
    const listening = createServer(listener);
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, host, resolve));
    return (listening.address() as AddressInfo).port;
  }

  afterEach(async () => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    await new Promise((resolve) => {
      closing.close(resolve);
      closing.closeAllConnections();
    });
  });

  for (const [named, bound] of [
    ["127.0.0.1", "127.0.0.1"],
    ["localhost", "localhost"],
    ["0.0.0.0", "127.0.0.1"],
    ["[::]", "::1"],
    ["[::1]", "::1"],
  ] as const) {
    it(`ends with 0 where ${named} answers 200 to /readyz`, async () => {
      const paths: (string | undefined)[] = [];
      const port = await serve(bound, (request, response) => {
        paths.push(request.url);
        response.end("ok\n");
      });
      expect(await probe(`${named}:${port}`)).to.deep.equal({ code: 0, signal: null, out: "", err: "" });
      expect(paths).to.deep.equal(["/readyz"]);
    });
  }

  it("ends with 1 while the server is not ready", async () => {
    const port = await serve("127.0.0.1", (_request, response) => response.writeHead(503).end());
    const { code, err } = await probe(`127.0.0.1:${port}`);
    expect({ code, err }).to.deep.equal({
      code: 1,
      err: `health-probe: 127.0.0.1:${port} answered 503 to /readyz\n`,
    });
  });

  it("ends with 1 where nobody listens", async () => {
    const port = await serve("127.0.0.1", () => {});
    await new Promise((resolve) => server?.close(resolve));
    const { code, err } = await probe(`127.0.0.1:${port}`);
    expect(code).to.equal(1);
    expect(err).to.match(/^health-probe: \S+ cannot be asked: .*ECONNREFUSED/);
  });

  it("ends with 1 when no answer comes in time", async () => {
    const port = await serve("127.0.0.1", () => {});
    const { code, err } = await probe(`127.0.0.1:${port}`, 100);
    expect(code).to.equal(1);
    expect(err).to.equal(`health-probe: 127.0.0.1:${port} did not answer within 100 ms\n`);
  });

  it("does not wait for the end of an answer that never ends", async () => {
    const port = await serve("127.0.0.1", (_request, response) => response.write("o"));
    expect((await probe(`127.0.0.1:${port}`)).code).to.equal(0);
  });

  for (const address of ["off", "9464", "http://127.0.0.1:9464", "127.0.0.1:99999", "a b:1"]) {
    it(`ends with 1 and says what is right where the address is "${address}"`, async () => {
      const { code, err } = await probe(address);
      expect({ code, err }).to.deep.equal({
        code: 1,
        err: `health-probe: SLUICE_ADMIN_ADDRESS must be HOST:PORT, for example 127.0.0.1:9464; it is "${address}"\n`,
      });
    });
  }
});
