import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import type { RunningSimulator } from "../../src/simulator-server/start-simulator.ts";
import { openSimulator } from "../rpc/simulator/open-simulator.ts";
import { MODEL, startSluiceOver, type TestSluice } from "../support/start-sluice.ts";
import { TestTerminal } from "./test-terminal.ts";

const REQUEST_COUNT = 12;

describe("sluice usage and sluice calls", () => {
  let simulator: RunningSimulator;
  let sluice: TestSluice;

  beforeEach(async () => {
    simulator = await openSimulator({ seed: 4, faultRatios: { server_error: 0.4 } });
    sluice = await startSluiceOver(
      { sim: `http://127.0.0.1:${simulator.port}/v1` },
      {
        server: { adminAddress: { host: "127.0.0.1", port: 0 } },
        breaker: { failureThreshold: 1_000 },
        routing: { maxAttempts: 1 },
      },
    );
    for (let index = 0; index < REQUEST_COUNT; index++) {
      const response = await fetch(`${sluice.baseUrl}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "Hi" }] }),
      });
      await response.text();
    }
  });

  afterEach(async () => {
    await sluice.stop();
    await simulator.close();
  });

  async function run(...argv: string[]): Promise<TestTerminal> {
    const terminal = new TestTerminal();
    const code = await runCommandLine([...argv, "--server", `127.0.0.1:${sluice.adminPort}`], terminal);
    expect(code, terminal.err).to.equal(0);
    return terminal;
  }

  it("tell what the server's provider has in its books", async () => {
    const { totals } = simulator.books.read(0, 0);
    const { out } = await run("usage", "--json");
    const [row, ...others] = JSON.parse(out).rows;
    expect(others).to.deep.equal([]);
    expect(row).to.deep.include({
      deployment: `sim/${MODEL}`,
      provider: "sim",
      model: MODEL,
      callCount: String(REQUEST_COUNT),
      succeededCount: String(totals.outcomeCounts.whole),
      failedCount: String(totals.outcomeCounts.error),
    });
    expect(row.day).to.match(/^\d{4}-\d\d-\d\d$/);
    expect(row.usage).to.include({
      inputTokenCount: String(totals.inputTokens),
      outputTokenCount: String(totals.outputTokens),
    });
    const table = (await run("usage", "--by", "model")).out;
    expect(table).to.match(new RegExp(`^${MODEL} +${REQUEST_COUNT} +${totals.outcomeCounts.whole} `, "m"));
    expect((await run("usage", "--to", "2020-01-01")).out).to.not.contain(MODEL);
  });

  it("list the calls, the newest first, and those that failed", async () => {
    const { totals } = simulator.books.read(0, 0);
    const all = JSON.parse((await run("calls", "--json")).out).calls;
    expect(all).to.have.length(REQUEST_COUNT);
    const failed = JSON.parse((await run("calls", "--failed", "--json")).out).calls;
    expect(failed).to.have.length(totals.outcomeCounts.error);
    for (const { attempt } of failed)
      expect(attempt).to.include({ outcome: "OUTCOME_SERVER_ERROR", httpStatus: 500 });
    const [newest] = all;
    const found = JSON.parse((await run("calls", "--request", newest.requestId, "--json")).out).calls;
    expect(found).to.deep.equal([newest]);
    expect((await run("calls", "--failed", "--limit", "1")).out).to.match(/server_error 500/);
    expect(JSON.stringify(all)).to.not.contain("Hi");
  });

  it("say what is wrong with a day or a number", async () => {
    for (const [argv, wrong] of [
      [["usage", "--from", "yesterday"], "first_day must be a day such as 2026-11-21"],
      [["usage", "--from", "2026-02-31"], "first_day must be a day such as 2026-11-21"],
      [["usage", "--from", "2026-11-22", "--to", "2026-11-21"], "last_day is before first_day, 2026-11-22"],
      [["calls", "--limit", "2001"], "limit is 2001; must be 1 to 2000"],
    ] as const) {
      const terminal = new TestTerminal();
      const server = ["--server", `127.0.0.1:${sluice.adminPort}`];
      expect(await runCommandLine([...argv, ...server], terminal)).to.not.equal(0);
      expect(terminal.err).to.contain(wrong);
    }
  });
});
