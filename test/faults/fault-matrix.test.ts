import { expect } from "chai";
import { OTHER_TEXT } from "./fault.ts";
import { runMatrix } from "./fault-matrix.ts";
import { type Cell, FAULTS, listCells } from "./fault-plan.ts";
import { FaultProcess } from "./fault-process.ts";
import { reportMatrix } from "./matrix-report.ts";
import { runFaults } from "./run-faults.ts";

/** One of so many light cells runs here; `npm run faults` runs them all. */
const SAMPLE_STEP = 47;

describe("the fault matrix", () => {
  it("has thousands of cells, each with a name of its own", () => {
    const cells = listCells();
    expect(cells.length).to.be.above(8_000);
    expect(new Set(cells.map(({ id }) => id)).size).to.equal(cells.length);
    expect(new Set(FAULTS.map(({ name }) => name)).size).to.equal(FAULTS.length);
  });

  it("comes out as expected in a sample of every dialect: one end each, nothing leaked, nothing left open", async function () {
    this.timeout(120_000);
    const light = listCells(undefined, ({ fault, verdict, entry }) => {
      const waitsForLimits = verdict.kind === "failure" && verdict.isStall && !entry.hasShortDeadline;
      return fault.isHeavy !== true && !waitsForLimits;
    });
    const sample = new Set(light.filter((_cell, index) => index % SAMPLE_STEP === 0).map(({ id }) => id));
    const matrix = await runMatrix({ wants: ({ id }) => sample.has(id), concurrency: 16 });
    const { isGood, text } = reportMatrix(matrix, 0);
    expect(isGood, text).to.equal(true);
    expect(matrix.results).to.have.length(sample.size);
    expect(new Set(matrix.results.map(({ cell }) => cell.dialect)).size).to.equal(6);
  });

  it("says so where a cell comes out otherwise", async function () {
    this.timeout(60_000);
    const [cell] = listCells(["openai"], ({ id }) => id === "openai.reset.after_tokens.grpc-stream");
    if (cell === undefined) throw new Error("the cell is gone");
    const wrong: Cell = { ...cell, verdict: OTHER_TEXT };
    const server = await FaultProcess.start();
    try {
      const originOf = () => `http://127.0.0.1:${server.port}`;
      const { results } = await runFaults([wrong], { server, originOf, concurrency: 1 });
      const [problem = ""] = results[0]?.problems ?? [];
      expect(problem).to.include("expected OK  SUCCESS -, got ABORTED STREAM_INTERRUPTED");
    } finally {
      await server.stop();
    }
  });
});
