import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { TestTerminal } from "./test-terminal.ts";

const KEY = "sk-very-secret-0123456789";
const VALID = `
server: { address: "127.0.0.1:0" }
providers:
  own: { kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: "\${OWN_KEY}" }
models:
  - name: m
    context_window_tokens: 8192
    max_output_tokens: 1024
    deployments: [{ provider: own, upstream_model: m-1, request_overrides: { auth_token: "hush" } }]
`;

describe("sluice config", () => {
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function run(args: readonly string[], env: Readonly<Record<string, string>> = { OWN_KEY: KEY }) {
    const terminal = new TestTerminal({ env });
    const exit = await runCommandLine(["config", ...args], terminal);
    return { exit, out: terminal.out, err: terminal.err };
  }

  async function write(text: string): Promise<string> {
    const file = join(folder, "sluice.yaml");
    await writeFile(file, text);
    return file;
  }

  it("summarises a valid file and exits 0", async () => {
    const file = await write(VALID);
    const { exit, out } = await run(["validate", file]);
    expect(exit).to.equal(0);
    expect(out).to.equal(`${file} is valid: 1 provider, 1 model, 1 deployment, on 127.0.0.1:0\n`);
    expect((await run(["validate", "--config", file])).out).to.equal(out);
  });

  it("prints every problem with its place, what is wrong and what would be right, and exits 78", async () => {
    const file = await write(`${VALID}telemetry: { log_level: loud }\nrouting: { max_attempts: 0 }\n`);
    const { exit, out, err } = await run(["validate", file]);
    expect({ exit, out }).to.deep.equal({ exit: 78, out: "" });
    expect(err).to.contain("the configuration has 2 problems:\n");
    expect(err).to.match(/sluice\.yaml:10:\d+: telemetry\.log_level .*; right would be /);
    expect(err).to.match(/sluice\.yaml:11:\d+: routing\.max_attempts .*; right would be /);
  });

  it("gives problems as JSON with --json", async () => {
    const file = await write(`${VALID}routing: { max_attempts: 0 }\n`);
    const { exit, out } = await run(["validate", "--json", file]);
    expect(exit).to.equal(78);
    expect(JSON.parse(out)).to.deep.include({ ok: false, file });
    expect(JSON.parse(out).problems[0]).to.include({ path: "routing.max_attempts", line: 10 });
    expect(JSON.parse((await run(["validate", "--json", await write(VALID)])).out).ok).to.equal(true);
  });

  it("prints the configuration in effect without any secret", async () => {
    const { exit, out } = await run(["print", await write(VALID)]);
    expect(exit).to.equal(0);
    expect(out).not.to.contain(KEY).and.not.to.contain("hush");
    const config = JSON.parse(out);
    expect(config.providers[0]).to.deep.include({ name: "own", apiKey: "[redacted]" });
    expect(config.models[0].deployments[0].upstreamModel).to.equal("m-1");
    expect(config.routing.maxAttempts).to.be.a("number");
  });

  it("prints the JSON Schema", async () => {
    const { out } = await run(["schema"]);
    expect(JSON.parse(out).properties).to.include.keys(
      ...["server", "providers", "models", "routing", "telemetry", "auth", "cors", "images"],
    );
  });

  it("prints which file is read", async () => {
    const file = await write(VALID);
    expect((await run(["path"], { SLUICE_CONFIG: file })).out).to.equal(`${file}\n`);
  });

  it("refuses a missing or unknown subcommand, and two files", async () => {
    expect((await run([])).err).to.contain("needs one of: validate, print, schema, path");
    expect((await run(["validte"])).err).to.contain("Did you mean config validate?");
    expect((await run(["validate", "a", "--config", "b"])).exit).to.equal(2);
    expect((await run(["validate", "a", "b"])).exit).to.equal(2);
  });
});
