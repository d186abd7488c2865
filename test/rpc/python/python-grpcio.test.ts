import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { type LiveServer, startLiveServer } from "../../clients/live-server.ts";
import { eventually } from "../../support/eventually.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Debian's own, so that no virtual environment or other Python stands in for it. */
const PYTHON = "/usr/bin/python3";
const DEBIAN_PACKAGES = "python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc";
const run = promisify(execFile);

describe("Debian's grpcio for Python", function () {
  this.timeout(30_000);
  let stubs = "";
  let server: LiveServer | undefined;

  before(async function () {
    const missing = await findMissing();
    if (missing !== undefined) {
      // Debian has all of it, so where the checks must be whole there is no excuse.
      if (process.env.CI !== undefined) throw new Error(`${missing}; apt-get install ${DEBIAN_PACKAGES}`);
      process.once("exit", () => console.log(`Python's grpcio did not run: ${missing}`));
      this.skip();
    }
    stubs = await mkdtemp(join(tmpdir(), "sluice-python-"));
    await generateStubs(stubs);
    server = await startLiveServer();
  });

  after(async () => {
    if (server !== undefined) expect(await server.stop()).to.equal(0);
    if (stubs !== "") await rm(stubs, { recursive: true });
  });

  it("makes unary and streaming calls, reads error details, keeps a deadline and cancels", async () => {
    if (server === undefined) throw new Error("the server did not start");
    const program = join(import.meta.dirname, "python_client.py");
    const { stdout } = await run(PYTHON, [program, server.address], { env: { PYTHONPATH: stubs } });
    expect(stdout.trim().split("\n")).to.deep.equal([
      "unary True True True",
      "stream started finished True True",
      "error NOT_FOUND MODEL_NOT_FOUND",
      "violation INVALID_ARGUMENT spec.messages[0].parts[0].text",
      "deadline DEADLINE_EXCEEDED True",
      "cancel CANCELLED",
    ]);
    await eventually(async () => {
      const requests = await server?.readRequests();
      expect(requests?.inFlightCount).to.equal(0);
      expect(requests?.cancelledCount).to.equal(1n);
    });
  });
});

async function findMissing(): Promise<string | undefined> {
  try {
    await run(PYTHON, ["-c", "import grpc, google.protobuf"]);
    await run("sh", ["-c", "command -v protoc && command -v grpc_python_plugin"]);
    return undefined;
  } catch {
    return "grpcio or the protobuf compiler is not installed";
  }
}

async function generateStubs(folder: string): Promise<void> {
  const google = join(ROOT, "node_modules/google-gax/build/protos");
  const plugin = (await run("sh", ["-c", "command -v grpc_python_plugin"])).stdout.trim();
  await run("protoc", [
    `-I${join(ROOT, "proto")}`,
    `-I${google}`,
    `--python_out=${folder}`,
    `--grpc_out=${folder}`,
    `--plugin=protoc-gen-grpc=${plugin}`,
    ...["generation", "metrics", "router_service"].map((name) => join(ROOT, `proto/sluice/v1/${name}.proto`)),
    ...["status", "error_details"].map((name) => join(google, `google/rpc/${name}.proto`)),
  ]);
}
