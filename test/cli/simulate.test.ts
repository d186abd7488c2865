import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { eventually } from "../support/eventually.ts";
import { TestTerminal } from "./test-terminal.ts";

describe("sluice simulate", () => {
  let folder = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-simulate-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  async function writeConfig(yaml: string): Promise<string> {
    const file = join(folder, "simulation.yaml");
    await writeFile(file, yaml);
    return file;
  }

  it("serves by file and options until Ctrl-C, and says that it is no model", async () => {
    const file = await writeConfig(
      "time_to_first_token: {median: 0ms}\nfault_ratios: {overloaded: 1}\nmodels: [m]\n",
    );
    const terminal = new TestTerminal();
    const ended = runCommandLine(["simulate", "--address", "127.0.0.1:0", "--config", file], terminal);
    const [, port] = await eventually(() => {
      const found = /ready on 127\.0\.0\.1:(\d+)\. No language model/.exec(terminal.out);
      if (found === null) throw new Error(`not ready: ${terminal.err}`);
      return found;
    });
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] });
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", body });
    expect(response.status).to.equal(503);
    terminal.interrupt();
    expect(await ended).to.equal(0);
    expect(terminal.listenerCount).to.equal(0);
  });

  it("names every field of the file that is wrong, with its line", async () => {
    const file = await writeConfig(
      [
        "seed: -1",
        "output_tokens: {median: 100, p95: 50}",
        "fault_ratios: {cut: 0.7, hang: 0.7}",
        "faults:",
        "  - {kind: explode}",
        "  - {kind: hang, from: 10s, to: 5s}",
        "colour: red",
      ].join("\n"),
    );
    const terminal = new TestTerminal();
    expect(await runCommandLine(["simulate", "--config", file], terminal)).to.equal(78);
    for (const line of [
      "1:7: seed",
      "2:",
      "3:",
      "faults[0].kind",
      "faults[1].to is not after from",
      "colour",
    ]) {
      expect(terminal.err).to.contain(line);
    }
    expect(terminal.err)
      .to.match(/output_tokens\.p95 is below median/)
      .and.to.match(/fault_ratios is more than 1/);
  });

  it("refuses options that cannot be", async () => {
    for (const args of [
      ["--address", "nowhere"],
      ["--cut-ratio", "60%", "--hang-ratio", "60%"],
      ["--seed", "x"],
    ]) {
      const terminal = new TestTerminal();
      expect(await runCommandLine(["simulate", ...args], terminal), args.join(" ")).to.equal(2);
    }
  });
});
