import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import type { SimulationSettings } from "../../src/simulator-server/simulation-settings.ts";
import type { RunningSimulator } from "../../src/simulator-server/start-simulator.ts";
import { openSimulator } from "../rpc/simulator/open-simulator.ts";
import { eventually } from "../support/eventually.ts";
import { startProgram } from "../support/run-program.ts";
import { startSluiceOver, type TestSluice } from "../support/start-sluice.ts";
import { TestTerminal } from "./test-terminal.ts";

const BIN = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

interface Result {
  readonly line: number;
  readonly custom_id: string | null;
  readonly answer: {
    readonly text: string;
    readonly usage: Record<string, string>;
    readonly adjustments: readonly object[];
  } | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly may_succeed_later: boolean;
  } | null;
}

describe("sluice batch", () => {
  let folder = "";
  let input = "";
  let output = "";
  let simulator: RunningSimulator;
  let sluice: TestSluice;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-batch-"));
    input = join(folder, "in.jsonl");
    output = join(folder, "out.jsonl");
  });

  afterEach(async () => {
    await sluice.stop();
    await simulator.close();
    await rm(folder, { recursive: true });
  });

  async function start(changes: Partial<SimulationSettings> = {}): Promise<void> {
    simulator = await openSimulator({ outputTokens: { median: 40, p95: 40 }, ...changes });
    // Whether requests are asked again is the batch's business here.
    sluice = await startSluiceOver(
      { sim: `http://127.0.0.1:${simulator.port}/v1` },
      { breaker: { failureThreshold: 1_000 }, routing: { maxAttempts: 1 } },
    );
  }

  const list = (...more: string[]) => [
    ...["batch", "-i", input, "-o", output, "--server", `127.0.0.1:${sluice.port}`],
    ...more,
  ];

  const writePrompts = (count: number) =>
    writeFile(
      input,
      Array.from({ length: count }, (_, n) => `{"prompt":"say ${n + 1}","custom_id":"c${n + 1}"}\n`).join(""),
    );

  async function run(terminal: TestTerminal, ...more: string[]): Promise<number> {
    return runCommandLine(list(...more), terminal);
  }

  async function readResults(): Promise<readonly Result[]> {
    const text = await readFile(output, "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  const bookedCount = () => simulator.books.read(0, 0).totals.requestCount;

  it("answers every request, in the order of the input, never more at once than allowed", async () => {
    await start({ timeToFirstToken: { median: 5, p95: 25 }, seed: 1 });
    await writePrompts(40);
    let mostCount = 0;
    const terminal = new TestTerminal();
    const watching = setInterval(() => {
      mostCount = Math.max(mostCount, simulator.books.read(0, 0).totals.openCount);
    }, 1);
    const code = await run(terminal, "--concurrency", "5").finally(() => clearInterval(watching));
    expect(code, terminal.err).to.equal(0);
    const results = await readResults();
    expect(results.map(({ custom_id }) => custom_id)).to.deep.equal(results.map((_, n) => `c${n + 1}`));
    for (const { line, answer } of results) expect(answer?.text).to.contain(`say ${line}”`);
    expect(bookedCount()).to.equal(40);
    expect(mostCount).to.be.within(2, 5);
    expect(terminal.err).to.contain("40 of 40 requests are done");
    const tokens = results.reduce((sum, { answer }) => sum + Number(answer?.usage.outputTokenCount), 0);
    expect(tokens).to.equal(simulator.books.read(0, 0).totals.outputTokens);
  });

  it("takes requests of OpenAI's batches, and records what is wrong with a line on its own", async () => {
    await start();
    const body = { model: "relay", messages: [{ role: "user", content: "Hi" }], max_tokens: 4 };
    const lines = [
      JSON.stringify({ custom_id: "a", method: "POST", url: "/v1/chat/completions", body }),
      "",
      "{broken",
      JSON.stringify({ custom_id: "b", body: { ...body, tools: [] } }),
      JSON.stringify({ custom_id: "c", body: { ...body, model: "nobody" } }),
      JSON.stringify({ prompt: "Hi", model: "auto" }),
    ];
    await writeFile(input, lines.join("\n"));
    const terminal = new TestTerminal();
    expect(await run(terminal), terminal.err).to.equal(1);
    const results = await readResults();
    expect(results.map(({ line, error }) => [line, error?.code])).to.deep.equal([
      [1, undefined],
      [3, "INVALID_ARGUMENT"],
      [4, "INVALID_ARGUMENT"],
      [5, "NOT_FOUND"],
      [6, undefined],
    ]);
    expect(results[0]?.answer?.usage.outputTokenCount).to.equal("4");
    expect(results[2]?.error?.message).to.contain("body.tools is not taken");
  });

  it("ends lines at newlines only, and takes files with a byte order mark and CR LF", async () => {
    await start({ timeToFirstToken: { median: 10, p95: 10 } });
    // JSON may hold U+2028 as it is, and the simulator repeats what it was asked.
    const lines = Array.from({ length: 30 }, (_, n) => JSON.stringify({ prompt: `say\u2028it ${n + 1}` }));
    await writeFile(input, `\uFEFF${lines.join("\r\n")}`);
    const terminal = new TestTerminal();
    const stopped = run(terminal, "--concurrency", "3");
    await eventually(() => expect(simulator.books.read(0, 0).totals.outcomeCounts.whole).to.be.above(10));
    terminal.interrupt();
    expect(await stopped).to.equal(130);
    // Answers may hold it too; here a result is made to.
    const partial = await readFile(`${output}.partial`, "utf8");
    await writeFile(`${output}.partial`, partial.replaceAll("simulated answer", "simulated\u2028answer"));
    const resumed = new TestTerminal();
    expect(await run(resumed, "--resume"), resumed.err).to.equal(0);
    const results = await readResults();
    expect(results.map(({ line }) => line)).to.deep.equal(lines.map((_, n) => n + 1));
    for (const { answer } of results) expect(answer?.text).to.match(/^\[simulated[ \u2028]answer/);
  });

  it("tells what a model did not get as it was asked", async () => {
    await start();
    const prompt = "word ".repeat(95_000);
    await writeFile(input, `${JSON.stringify({ prompt, max_tokens: 8_000 })}\n{"prompt":"Hi"}\n`);
    const terminal = new TestTerminal();
    expect(await run(terminal), terminal.err).to.equal(0);
    const [long, plain] = await readResults();
    expect(long?.answer?.adjustments).to.have.length(1);
    expect(long?.answer?.adjustments[0]).to.include({
      field: "sampling.max_output_token_count",
      asked: "8000",
      reason: "ADJUSTMENT_REASON_CONTEXT_WINDOW",
    });
    expect(plain?.answer?.adjustments).to.deep.equal([]);
  });

  it("refuses what it cannot read twice, and an output that cannot be written", async () => {
    await start();
    await writePrompts(1);
    const pipe = new TestTerminal();
    const server = `127.0.0.1:${sluice.port}`;
    expect(
      await runCommandLine(["batch", "-i", "/dev/null", "-o", output, "--server", server], pipe),
    ).to.equal(2);
    expect(pipe.err).to.contain("it is a pipe or a device; right would be a file");
    const nowhere = new TestTerminal();
    output = join(folder, "absent", "out.jsonl");
    expect(await run(nowhere)).to.equal(2);
    expect(nowhere.err).to.contain("--output").and.to.contain("cannot be written");
  });

  it("refuses to resume with an input that lost lines", async () => {
    await start();
    await writePrompts(3);
    expect(await run(new TestTerminal())).to.equal(0);
    await writePrompts(2);
    const terminal = new TestTerminal();
    expect(await run(terminal, "--resume")).to.equal(2);
    expect(terminal.err).to.contain("Line 3, which was answered before, is not in the input any more");
    expect(await readResults()).to.have.length(3);
  });

  it("records failures that may succeed later, and asks only those again when it is resumed", async () => {
    await start({ seed: 5, faultRatios: { server_error: 0.4 } });
    await writePrompts(20);
    const first = new TestTerminal();
    expect(await run(first, "--retries", "0"), first.err).to.equal(75);
    const failedCount = (await readResults()).filter(({ error }) => error?.may_succeed_later).length;
    expect(failedCount).to.be.within(1, 19);
    expect(bookedCount()).to.equal(20);
    const again = new TestTerminal();
    await run(again, "--resume", "--retries", "0");
    expect(bookedCount()).to.equal(20 + failedCount);
    expect(await readResults()).to.have.length(20);
  });

  it("shows what failed, and asks again what failed for good too when it is told so", async () => {
    await start({ faultRatios: { content_filter: 1 } });
    await writeFile(input, '{"prompt":"one","custom_id":"c1"}\n{broken\n');
    const first = new TestTerminal();
    expect(await run(first), first.err).to.equal(1);
    expect(first.err).to.contain("2 of them failed").and.to.contain("--list-failed shows which");
    const shown = new TestTerminal();
    expect(await runCommandLine(["batch", "-o", output, "--list-failed"], shown), shown.err).to.equal(1);
    const [one, two, ...others] = shown.out.trimEnd().split("\n");
    expect(one).to.match(/^line 1 \(c1\): INVALID_ARGUMENT: .*content/);
    expect(two).to.match(/^line 2: INVALID_ARGUMENT: the line is no JSON/);
    expect(others).to.deep.equal([]);
    const resumed = new TestTerminal();
    expect(await run(resumed, "--resume"), resumed.err).to.equal(1);
    expect(bookedCount()).to.equal(1);
    await sluice.stop();
    await simulator.close();
    await start();
    const again = new TestTerminal();
    expect(await run(again, "--retry-failed"), again.err).to.equal(1);
    expect(again.err).to.contain("2 of 2 requests are done, 1 of them failed");
    expect(bookedCount()).to.equal(1);
    expect((await readResults())[0]?.answer?.text).to.contain("one");
    const absent = new TestTerminal();
    expect(await runCommandLine(["batch", "-o", join(folder, "absent"), "--list-failed"], absent)).to.equal(
      2,
    );
    expect(absent.err).to.contain("cannot be read");
  });

  it("leaves a state to resume from on Ctrl-C, and goes on without asking what is done", async () => {
    await start({ timeToFirstToken: { median: 10, p95: 10 } });
    await writePrompts(60);
    const terminal = new TestTerminal();
    const stopped = run(terminal, "--concurrency", "3");
    await eventually(() => expect(simulator.books.read(0, 0).totals.outcomeCounts.whole).to.be.above(10));
    terminal.interrupt();
    expect(await stopped).to.equal(130);
    expect(terminal.err).to.contain("go on with --resume");
    expect(await readFile(output).catch(() => "absent")).to.equal("absent");
    const resumed = new TestTerminal();
    expect(await run(resumed, "--resume", "--concurrency", "10"), resumed.err).to.equal(0);
    expect(await readResults()).to.have.length(60);
    expect(bookedCount()).to.be.within(60, 63);
  });

  it("loses no answer to kill -9, and resumes", async () => {
    await start({ timeToFirstToken: { median: 10, p95: 10 } });
    await writePrompts(80);
    const program = startProgram([process.execPath, BIN, ...list("--concurrency", "4")], {
      env: { PATH: process.env.PATH },
    });
    await eventually(
      () => expect(simulator.books.read(0, 0).totals.outcomeCounts.whole).to.be.above(20),
      10_000,
    );
    program.child.kill("SIGKILL");
    await program.ended;
    // As if the machine had torn the last write.
    await writeFile(`${output}.partial`, '{"line":79,"inp', { flag: "a" });
    const terminal = new TestTerminal();
    expect(await run(terminal, "--resume", "--concurrency", "10"), terminal.err).to.equal(0);
    const results = await readResults();
    expect(results.map(({ line }) => line)).to.deep.equal(Array.from({ length: 80 }, (_, n) => n + 1));
    for (const { line, answer } of results) expect(answer?.text).to.contain(`say ${line}”`);
    // Only what was in flight was asked twice.
    expect(bookedCount()).to.be.within(80, 84);
  }).timeout(20_000);

  it("loses no answer when two have the same output: who notices stops, and one resumes", async () => {
    await start({ timeToFirstToken: { median: 10, p95: 10 } });
    await writePrompts(60);
    const first = new TestTerminal();
    const ended = run(first, "--concurrency", "3");
    await eventually(() => expect(simulator.books.read(0, 0).totals.outcomeCounts.whole).to.be.above(10));
    const second = new TestTerminal();
    const codes = [await run(second, "--resume", "--concurrency", "3"), await ended];
    expect(codes).to.include(2);
    expect(first.err + second.err).to.contain("Another program writes to");
    const resumed = new TestTerminal();
    expect(await run(resumed, "--resume", "--concurrency", "10"), resumed.err).to.equal(0);
    const results = await readResults();
    expect(results.map(({ line }) => line)).to.deep.equal(Array.from({ length: 60 }, (_, n) => n + 1));
    for (const { line, answer } of results) expect(answer?.text).to.contain(`say ${line}”`);
  });

  it("overwrites nothing, and refuses to resume with another input", async () => {
    await start();
    await writePrompts(2);
    expect(await run(new TestTerminal())).to.equal(0);
    const again = new TestTerminal();
    expect(await run(again)).to.equal(2);
    expect(again.err).to.contain("is there already");
    await writeFile(input, '{"prompt":"something else"}\n');
    const other = new TestTerminal();
    expect(await run(other, "--resume")).to.equal(2);
    expect(other.err).to.contain("Line 1 of the input is not the one that was answered");
    expect(await readResults()).to.have.length(2);
  });

  it("stops when the server cannot be reached, and tells how to go on", async () => {
    await start();
    await writePrompts(3);
    const terminal = new TestTerminal();
    const { port } = sluice;
    await sluice.stop();
    expect(
      await runCommandLine(["batch", "-i", input, "-o", output, "--server", `127.0.0.1:${port}`], terminal),
    ).to.equal(69);
    expect(terminal.err).to.contain("cannot be reached: 0 of 3").and.to.contain("--resume");
  });

  it("draws a bar on a terminal", async () => {
    await start();
    await writePrompts(3);
    const terminal = new TestTerminal({ isTty: true, columnCount: 80 });
    expect(await run(terminal)).to.equal(0);
    expect(terminal.err).to.contain("[########################] 3/3");
  });
});
