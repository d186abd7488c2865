import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type RunningSluice, startSluice } from "../../src/main.ts";
import type { RunningSimulator } from "../../src/simulator-server/start-simulator.ts";
import { openSimulator } from "../rpc/simulator/open-simulator.ts";
import { eventually } from "../support/eventually.ts";
import { MemoryLogger } from "../support/start-test-server.ts";
import { TestTerminal } from "./test-terminal.ts";

const MODEL = "context_window_tokens: 8192, max_output_tokens: 4096, tiers: {speed: 1, quality: 3, cost: 1}";

describe("sluice test-models", () => {
  let folder = "";
  let simulator: RunningSimulator;
  let sluice: RunningSluice;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-test-models-"));
    simulator = await openSimulator({
      schedule: [
        { kind: "server_error", fromMs: 0, toMs: Number.POSITIVE_INFINITY, ratio: 1, model: "broken" },
        { kind: "hang", fromMs: 0, toMs: Number.POSITIVE_INFINITY, ratio: 1, model: "stuck" },
      ],
      timeToFirstToken: { median: 5, p95: 5 },
      tokensPerSecond: { median: 1_000, p95: 1_000 },
    });
    const yaml = [
      "server: {address: 127.0.0.1:0, admin_address: off}",
      `providers: {sim: {kind: openai, base_url: "http://127.0.0.1:${simulator.port}/v1"}}`,
      "models:",
      `  - {name: good, ${MODEL}, price_usd_per_million_tokens: {input: 1, output: 2}, deployments: [{provider: sim}]}`,
      ...["broken", "stuck"].map((name) => `  - {name: ${name}, ${MODEL}, deployments: [{provider: sim}]}`),
      "routing: {retry: {max_retries: 0}}",
    ].join("\n");
    await writeFile(join(folder, "sluice.yaml"), yaml);
    const loaded = loadConfig({ folder, env: {} });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const ports = { clock: systemClock, random: systemRandom, logger: new MemoryLogger() };
    sluice = await startSluice(loaded.config, ports);
  });

  afterEach(async () => {
    await sluice.stop();
    await simulator.close();
    await rm(folder, { recursive: true });
  });

  const run = (terminal: TestTerminal, ...more: string[]) =>
    runCommandLine(["test-models", "--server", `127.0.0.1:${sluice.address.port}`, ...more], terminal);

  it("tells which models work, how fast and at what cost, in a table, Markdown and JSON", async () => {
    const markdown = join(folder, "report.md");
    const json = join(folder, "report.json");
    const terminal = new TestTerminal({ columnCount: 200, isTty: true, env: { NO_COLOR: "1" } });
    const args = ["--models", "good,broken", "--concurrency", "2", "--markdown", markdown, "--json", json];
    expect(await run(terminal, ...args), terminal.err).to.equal(1);
    expect(terminal.out).to.match(/good +available +\S+ms +\S+ms +\S+ +\$0\.00\d+/);
    expect(terminal.out).to.match(/broken +unavailable .*UPSTREAM_ERROR/);
    expect(terminal.out).to.contain("1 of 2 models work.").and.to.contain("For conversations take good");
    expect(terminal.err).to.contain("2/2");
    const written = await readFile(markdown, "utf8");
    expect(written).to.contain("| good | available |").and.to.contain("## Recommendations");
    expect(written).to.contain("## Working models\n\n- `good`");
    const report = JSON.parse(await readFile(json, "utf8"));
    expect(report.working).to.deep.equal(["good"]);
    const good = report.tests.find(({ model }: { model: string }) => model === "good");
    const [booked] = simulator.books.read(0, 10).requests.filter(({ model }) => model === "good");
    expect(good).to.include({ available: true, outputTokens: booked?.outputTokens, errorReason: null });
    expect(good.costNanoUsd).to.equal(
      Number(booked?.inputTokens) * 1_000 + Number(booked?.outputTokens) * 2_000,
    );
  });

  it("prints JSON alone with --json -, and exits with 0 when all work", async () => {
    const terminal = new TestTerminal();
    expect(await run(terminal, "--models", "good", "--json", "-", "--max-tokens", "3")).to.equal(0);
    expect(JSON.parse(terminal.out).tests[0].outputTokens).to.equal(3);
  });

  it("cancels the models under way on Ctrl-C", async () => {
    const terminal = new TestTerminal();
    const ended = run(terminal, "--models", "stuck");
    await eventually(() => expect(simulator.books.read(0, 0).totals.openCount).to.equal(1));
    terminal.interrupt();
    expect(await ended).to.equal(130);
    await eventually(() => expect(simulator.books.read(0, 0).totals.openCount).to.equal(0));
  });

  it("names what is wrong with a request", async () => {
    const unknown = new TestTerminal();
    expect(await run(unknown, "--models", "nobody")).to.equal(1);
    expect(unknown.err).to.contain("MODEL_NOT_FOUND");
    const wide = new TestTerminal();
    expect(await run(wide, "--concurrency", "65")).to.equal(1);
    expect(wide.err).to.contain("max_concurrent_count: is 65; must be 1 to 64 inclusive");
  });
});
