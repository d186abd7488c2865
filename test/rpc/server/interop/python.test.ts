import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import type { TestServer } from "../../../support/start-test-server.ts";
import { INTEROP_CASES } from "./interop-plan.ts";
import { startInteropServer } from "./interop-server.ts";
import { writePlanFile } from "./plan-file.ts";

const run = promisify(execFile);
/** Debian's own, so that no virtual environment stands in for it. */
const PYTHON = "/usr/bin/python3";

describe("gRPC's interop cases with grpcio for Python", function () {
  this.timeout(60_000);
  let server: TestServer;

  before(async function () {
    try {
      await run(PYTHON, ["-c", "import grpc"]);
    } catch {
      if (process.env.CI !== undefined) throw new Error("grpcio is missing; apt-get install python3-grpcio");
      process.once("exit", () =>
        console.log("the interop cases did not run with Python: grpcio is not installed"),
      );
      this.skip();
    }
    server = await startInteropServer();
  });

  after(() => server?.drain());

  it("all pass", async () => {
    const program = join(import.meta.dirname, "interop_client.py");
    const plan = await writePlanFile();
    const { stdout } = await run(PYTHON, [
      program,
      plan.path,
      `127.0.0.1:${server.port}`,
      INTEROP_CASES.join(","),
    ]);
    await plan.remove();
    expect(stdout.trim().split("\n")).to.deep.equal(INTEROP_CASES.map((name) => `ok ${name}`));
  });
});
