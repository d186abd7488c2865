import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { measureWidth } from "../../src/cli/text-width.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { type RunningSluice, startSluice } from "../../src/main.ts";
import { TestTerminal } from "./test-terminal.ts";

const silence = { debug() {}, info() {}, warn() {}, error() {} };

const CONFIG = `
server: { address: "127.0.0.1:0", admin_address: "127.0.0.1:0" }
providers:
  steady: { kind: simulator, time_to_first_token: 1ms, tokens_per_second: 1000, output_tokens: 8 }
  broken: { kind: simulator, time_to_first_token: 1ms, failure_ratio: 1 }
models:
  - name: small
    context_window_tokens: 8192
    max_output_tokens: 1024
    tiers: { speed: 1, quality: 2, cost: 1 }
    deployments: [{ provider: steady }]
  - name: large
    context_window_tokens: 200000
    max_output_tokens: 4096
    vision: true
    tiers: { speed: 2, quality: 5, cost: 4 }
    deployments: [{ provider: steady }]
  - name: dead
    context_window_tokens: 8192
    max_output_tokens: 1024
    deployments: [{ provider: broken }]
groups:
  shaky:
    rotation: fixed
    echelon1: { models: [dead] }
    echelon2: { models: [small] }
    fallback: { strategy: echelon_down, max_attempts: 3, retry_delay: 0s }
aliases:
  chat: { target: large }
routing:
  retry: { max_retries: 0 }
`;

describe("the command line on routing, and a real server", () => {
  let sluice: RunningSluice;

  before(async () => {
    const loaded = loadConfig({
      file: "routing.yaml",
      env: {},
      files: {
        readText: (path) =>
          path.endsWith("routing.yaml") ? { kind: "text", text: CONFIG } : { kind: "missing" },
      },
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    sluice = await startSluice(loaded.config, {
      clock: systemClock,
      random: seededRandom(1),
      logger: silence,
    });
  });

  after(() => sluice.stop());

  async function run(...args: string[]) {
    const terminal = new TestTerminal({
      env: {
        SLUICE_SERVER: `127.0.0.1:${sluice.address.port}`,
        SLUICE_ADMIN_SERVER: `127.0.0.1:${sluice.adminAddress?.port}`,
      },
    });
    const exit = await runCommandLine(args, terminal);
    for (const line of terminal.out.split("\n")) {
      // Messages of the server are as long as they are.
      if (!line.startsWith("would fail:")) expect(measureWidth(line), line).to.be.at.most(80);
    }
    return { exit, out: terminal.out, err: terminal.err };
  }

  it("ranks the models by what they are wanted for", async () => {
    const rank = async (...args: string[]) => {
      const { exit, out } = await run("recommend", ...args, "--json");
      expect(exit).to.equal(0);
      return (JSON.parse(out).recommendations as { model: string }[]).map(({ model }) => model);
    };
    expect((await rank("--priority", "quality"))[0]).to.equal("large");
    expect((await rank("--priority", "speed"))[0]).to.equal("small");
    expect(await rank("--vision")).to.deep.equal(["large"]);
    expect(await rank("--min-context", "100000")).to.deep.equal(["large"]);
    expect(await rank("--limit", "1")).to.have.length(1);
  });

  it("shows recommendations as a table, and says when there are none", async () => {
    const { out } = await run("recommend");
    expect(out)
      .to.match(/^MODEL +SCORE +SUCCESS +QUALITY +TIME +COST +HEADROOM/)
      .and.contain("steady/small");
    const none = await run("recommend", "--tools");
    expect(none).to.include({ exit: 0, out: "" });
    expect(none.err).to.contain("no model can do that now");
  });

  it("explains a decision without making an attempt", async () => {
    const { exit, out } = await run("explain", "--target", "model:large", "Hello");
    expect(exit).to.equal(0);
    expect(out)
      .to.contain("attempt 1, target large")
      .and.match(/steady\/large +chosen/);
    expect((await run("metrics", "--model", "large", "--json")).out).to.contain('"model": "large"');
    const started = JSON.parse((await run("metrics", "--model", "large", "--json")).out);
    expect(started.models[0].total).not.to.have.property("startedCount");
  });

  it("names the filter that removes each candidate when nothing can be chosen", async () => {
    const { exit, out } = await run("explain", "--target", "model:small", "--max-cost", "0", "Hello");
    expect(exit).to.equal(0);
    expect(out)
      .to.contain("no attempt, target small")
      .and.match(/steady\/small +not: max_cost/);
    expect(out.replaceAll("\n", " ")).to.contain("NO_MODEL_MEETS_REQUIREMENTS");
  });

  for (const target of [
    "group:shaky",
    "shaky",
    "shaky.echelon2",
    "alias:chat",
    "chat",
    "provider:steady",
    "small",
  ]) {
    it(`asks the target ${target}`, async () => {
      const { exit, err } = await run("generate", "--target", target, "-v", "Say hello");
      expect(exit, err).to.equal(0);
    });
  }

  it("says what to do when a target without a kind cannot be looked up", async () => {
    const { exit, err } = await run("generate", "--server", "127.0.0.1:1", "--target", "shaky", "x");
    expect(exit).to.equal(69);
    expect(err).to.contain("its kind can be given, for example group:NAME");
  });

  it("says of a target that nothing has what it could have been", async () => {
    const { exit, err } = await run("generate", "--target", "shaki", "x");
    expect(exit).to.equal(1);
    expect(err).to.contain("MODEL_NOT_FOUND").and.contain("did you mean shaky");
  });

  for (const command of ["generate", "stream"]) {
    it(`traces the decisions of ${command} on standard error when asked`, async () => {
      const { exit, out, err } = await run(command, "--target", "group:shaky", "--explain", "Say hello");
      expect(exit).to.equal(0);
      expect(out).not.to.contain("CANDIDATE");
      expect(err)
        .to.match(/attempt \d, target shaky/)
        .and.contain("CANDIDATE");
      expect((await run(command, "--target", "group:shaky", "Say hello")).err).not.to.contain("CANDIDATE");
    });
  }

  it("shows health, and every scope that requests went through", async () => {
    expect((await run("metrics")).out)
      .to.contain("HEALTH")
      .and.contain("HEADROOM");
    const { out } = await run("metrics", "--scopes");
    for (const scope of ["group shaky", "echelon shaky.echelon1", "provider broken", "model small"])
      expect(out).to.contain(scope);
    expect(out).to.contain("broken/dead server_error, then");
    expect(await run("metrics", "--scopes", "--model", "small")).to.include({ exit: 2, out: "" });
  });

  it("resets what was measured, at the admin address only", async () => {
    const before = JSON.parse((await run("metrics", "--model", "dead", "--json")).out);
    expect(before.models[0].deployments[0].evidence.successRatio).to.be.below(0.99);
    const { exit, out } = await run("reset", "broken");
    expect({ exit, out }).to.deep.equal({ exit: 0, out: "broken/dead\n" });
    const after = JSON.parse((await run("metrics", "--model", "dead", "--json")).out);
    expect(after.models[0].deployments[0].evidence.successRatio).to.be.above(0.99);
    expect((await run("reset")).out.trim().split("\n")).to.have.length(3);
    expect((await run("reset", "nobody")).err).to.contain("MODEL_NOT_FOUND");
    const callers = await run("reset", "--server", `127.0.0.1:${sluice.address.port}`);
    expect(callers.exit).to.equal(1);
    expect(callers.err).to.contain("UNIMPLEMENTED");
  });
});
