import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { TestTerminal } from "./test-terminal.ts";

describe("sluice demo", function () {
  // A breaker takes its time to believe that a provider is back.
  this.timeout(20_000);

  it("stops a provider under load, and no request fails", async () => {
    const terminal = new TestTerminal();
    const exit = await runCommandLine(["demo", "--duration", "8s", "--json"], terminal);
    expect(terminal.err).to.equal("");
    expect(exit).to.equal(0);
    const report = JSON.parse(terminal.out);
    expect(report.failedCount).to.equal(0);
    expect(report.requestCount).to.be.within(120, 161);
    expect(report.detectionMs).to.be.within(0, 1_500);
    expect(report.returnMs).to.be.within(0, 4_500);
    expect(report.callsAfterDetectionCount).to.be.within(0, 4);
    expect(terminal.listenerCount).to.equal(0);
  });

  it("can be interrupted, and leaves nothing open", async () => {
    const terminal = new TestTerminal({
      onOutput: (text, self) => {
        if (text.split("failed 0").length > 2) self.interrupt();
      },
    });
    const exit = await runCommandLine(["demo", "--duration", "60s"], terminal);
    expect(exit).to.equal(130);
    expect(terminal.out).to.match(/alpha \d+\/s closed, beta \d+\/s closed, gamma \d+\/s closed, failed 0/);
  });

  for (const [option, value] of [
    ["--duration", "7s"],
    ["--rate", "101"],
    ["--rate", "0"],
  ] as const) {
    it(`refuses ${option} ${value}`, async () => {
      const terminal = new TestTerminal();
      expect(await runCommandLine(["demo", option, value], terminal)).to.equal(2);
      expect(terminal.err).to.contain(option);
    });
  }
});
