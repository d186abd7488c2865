import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import type { TestServer } from "../../../support/start-test-server.ts";
import { INTEROP_CASES } from "./interop-plan.ts";
import { startInteropServer } from "./interop-server.ts";
import { writePlanFile } from "./plan-file.ts";

const run = promisify(execFile);
const SOURCES = join(import.meta.dirname, "go");
const CACHE = join(import.meta.dirname, "../../../../.cache/interop");

describe("gRPC's interop cases with grpc-go", function () {
  this.timeout(120_000);
  const program = join(CACHE, "interop");
  let server: TestServer;

  before(async function () {
    try {
      await run("go", ["version"]);
    } catch {
      process.once("exit", () => console.log("the interop cases did not run with Go: it is not installed"));
      this.skip();
    }
    await mkdir(CACHE, { recursive: true });
    await run("go", ["build", "-o", program, "."], { cwd: SOURCES });
    server = await startInteropServer();
  });

  after(() => server?.drain());

  it("all pass", async () => {
    const plan = await writePlanFile();
    const { stdout } = await run(program, [plan.path, `127.0.0.1:${server.port}`, INTEROP_CASES.join(",")]);
    await plan.remove();
    expect(stdout.trim().split("\n")).to.deep.equal(INTEROP_CASES.map((name) => `ok ${name}`));
  });
});
