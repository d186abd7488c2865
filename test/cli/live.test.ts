import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { type RunningSluice, startSluice } from "../../src/main.ts";
import { makeTestCertificate, type TestCertificate } from "../support/test-certificates.ts";
import { TestTerminal } from "./test-terminal.ts";

const silence = { debug() {}, info() {}, warn() {}, error() {} };

describe("the command line and a real server", () => {
  let folder = "";
  let certificate: TestCertificate;
  let plain: RunningSluice;
  let encrypted: RunningSluice;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-live-"));
    certificate = await makeTestCertificate();
    await writeFile(join(folder, "ca.pem"), certificate.ca);
    plain = await startServer("");
    const { certificateFile, privateKeyFile } = certificate.tls;
    encrypted = await startServer(
      `server: { tls: { certificate_file: ${certificateFile}, private_key_file: ${privateKeyFile} } }`,
    );
  });

  after(async () => {
    await plain.stop();
    await encrypted.stop();
    await certificate.remove();
    await rm(folder, { recursive: true });
  });

  async function startServer(more: string): Promise<RunningSluice> {
    const file = join(folder, "sluice.yaml");
    await writeFile(
      file,
      `${more}
providers:
  fast: { kind: simulator, time_to_first_token: 1ms, tokens_per_second: 1000, output_tokens: 8 }
  cutting: { kind: simulator, time_to_first_token: 1ms, tokens_per_second: 1000, output_tokens: 8, cut_ratio: 1 }
models:
  - name: steady
    context_window_tokens: 8192
    max_output_tokens: 1024
    deployments: [{ provider: fast, upstream_model: s }]
  - name: brittle
    context_window_tokens: 8192
    max_output_tokens: 1024
    deployments: [{ provider: cutting, upstream_model: b }]
`,
    );
    const loaded = loadConfig({
      file,
      env: {},
      overrides: { address: "127.0.0.1:0", adminAddress: "off" },
      folder,
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return startSluice(loaded.config, { clock: systemClock, random: seededRandom(1), logger: silence });
  }

  async function run(server: RunningSluice, ...args: string[]) {
    const terminal = new TestTerminal({ env: { SLUICE_SERVER: `localhost:${server.address.port}` } });
    const exit = await runCommandLine(args, terminal);
    return { exit, out: terminal.out, err: terminal.err };
  }

  it("agree on generate and stream, and say that it is a simulation", async () => {
    for (const command of ["generate", "stream"]) {
      const { exit, out, err } = await run(plain, command, "--model", "steady", "-v", "Say hello");
      expect(exit).to.equal(0);
      expect(out.trim()).not.to.equal("");
      expect(err.match(/SIMULATION/g)).to.have.length(1);
      expect(err)
        .to.contain("model: steady by fast/")
        .and.to.contain("finish: ")
        .and.to.match(/request id: \S+/);
    }
  });

  it("agree on a stream that breaks off in the middle", async () => {
    const { exit, out, err } = await run(plain, "stream", "--model", "brittle", "Say hello");
    expect(exit).to.equal(75);
    expect(out).not.to.equal("");
    expect(err).to.contain("the answer broke off and is not complete: ABORTED STREAM_INTERRUPTED");
    expect(err).to.contain("attempt 1: cutting/b stream_interrupted");
  });

  it("agree on errors with their fields and request ids", async () => {
    const { exit, err } = await run(plain, "generate", "--temperature", "3", "x");
    expect(exit).to.equal(1);
    expect(err)
      .to.contain("INVALID_ARGUMENT INVALID_REQUEST")
      .and.to.contain("  spec.sampling.temperature: ");
    expect(err).to.match(/request id: \S+/);
  });

  it("agree on metrics and models", async () => {
    expect((await run(plain, "metrics")).out)
      .to.contain("fast/s")
      .and.to.contain("closed");
    expect((await run(plain, "metrics", "--model", "nope")).err).to.contain("NOT_FOUND MODEL_NOT_FOUND");
    expect((await run(plain, "models")).out)
      .to.contain("steady")
      .and.to.contain("brittle");
    expect((await run(plain, "models", "steady")).out).to.contain("SIMULATION");
  });

  it("agree on TLS with an authority of one's own, and refuse one another without", async () => {
    const ca = join(folder, "ca.pem");
    expect((await run(encrypted, "models", "--ca", ca)).exit).to.equal(0);
    expect((await run(encrypted, "models", "--tls")).exit).to.equal(69);
    expect((await run(encrypted, "models")).exit).to.equal(69);
  });

  it("refuse a --ca that is missing or no certificate", async () => {
    const file = join(folder, "sluice.yaml");
    expect((await run(plain, "models", "--ca", join(folder, "none.pem"))).err).to.contain(
      "there is no such file",
    );
    expect((await run(plain, "models", "--ca", file)).err).to.contain("holds no PEM certificate");
  });
});
