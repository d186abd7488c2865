import { expect } from "chai";
import { CONTESTANTS } from "../../../bench/side-by-side/contestants.ts";
import { listMeasures } from "../../../bench/side-by-side/measures.ts";
import {
  countDisturbed,
  listProblems,
  renderGoals,
  renderMeasure,
} from "../../../bench/side-by-side/result-tables.ts";
import { type Results, toCell } from "../../../bench/side-by-side/sample.ts";
import { renderMarkdown, renderText, type Table } from "../../../bench/side-by-side/table.ts";
import { buildResults } from "./result-builder.ts";

function findMeasure(name: string) {
  const measure = listMeasures(false).find((one) => one.name === name);
  if (measure === undefined) throw new Error(`there is no measure ${name}`);
  return measure;
}

function rowOf(name: string, results: Results, contestant: string): Record<string, string> {
  const table = renderMeasure(findMeasure(name), CONTESTANTS, results);
  const row = table.rows.find((cells) => cells[0] === contestant) ?? [];
  return Object.fromEntries(table.head.map((head, column) => [head, row[column] ?? ""]));
}

describe("benchmark tables", () => {
  const table: Table = {
    content: "numbers",
    title: "T",
    head: ["", "us"],
    rows: [
      ["a|b", "1"],
      ["c", "1,000"],
    ],
  };

  it("pads columns for a terminal, names left and numbers right", () => {
    expect(renderText(table)).to.equal("T\n        us\n---  -----\na|b      1\nc    1,000");
  });

  it("aligns words left", () => {
    const words: Table = { ...table, content: "words", rows: [["c", "1"]] };
    expect(renderText(words)).to.equal("T\n   us\n-  --\nc  1");
    expect(renderMarkdown(words)).to.contain("| --- | --- |");
  });

  it("escapes vertical bars in Markdown", () => {
    expect(renderMarkdown(table)).to.equal(
      "### T\n\n|  | us |\n| --- | ---: |\n| a\\|b | 1 |\n| c | 1,000 |",
    );
  });

  it("compares CPU per request with the minimal proxy and with Portkey", () => {
    const results = buildResults({
      unary: {
        minimal: { cpuUsPerRequest: 80 },
        sluice: { cpuUsPerRequest: 100 },
        portkey: { cpuUsPerRequest: 1000 },
      },
    });
    const row = rowOf("unary", results, "Sluice, gRPC");
    expect(row["CPU x minimal"]).to.equal("1.25");
    expect(row["CPU x Portkey"]).to.equal("0.10");
    expect(row["requests/s per core"]).to.equal("10,000");
  });

  it("marks a closed loop that did not keep the core busy", () => {
    const results = buildResults({
      unary: {
        sluice: { cpuUsPerRequest: 100, cpuRatio: 0.8 },
        minimal: { cpuUsPerRequest: 80, cpuRatio: 1 },
      },
    });
    expect(rowOf("unary", results, "Sluice, gRPC")["core used"]).to.equal("80 % *");
    expect(rowOf("unary", results, "minimal gRPC proxy")["core used"]).to.equal("100 %");
  });

  it("says YES where a gateway falls behind the tokens it is offered", () => {
    const results = buildResults({
      paced500: { sluice: { tokensPerSecond: 25_100 }, portkey: { tokensPerSecond: 18_600 } },
    });
    expect(rowOf("paced500", results, "Sluice, gRPC").backlog).to.equal("no");
    expect(rowOf("paced500", results, "Portkey 1.15.2").backlog).to.equal("YES");
  });

  it("keeps the row of a contestant that failed, and lists why", () => {
    const results: Results = new Map([
      ["unary", new Map([["sluice", toCell([], ["it ended instead of listening"])]])],
    ]);
    expect(rowOf("unary", results, "Sluice, gRPC")["CPU us/request"]).to.equal("-");
    expect(listProblems(results)).to.deep.equal(["unary, sluice: it ended instead of listening"]);
  });

  it("counts the results that other programs disturbed", () => {
    const results = buildResults({
      unary: { sluice: { disturbedRatio: 0.3 }, minimal: { disturbedRatio: 0.02 } },
      stream: { sluice: { disturbedRatio: 0.16 } },
    });
    expect(countDisturbed(results)).to.deep.equal({ disturbedCount: 2, cellCount: 3 });
  });

  it("shows a missed goal in capitals", () => {
    const results = buildResults({
      unary: { sluice: { cpuUsPerRequest: 200 }, minimal: { cpuUsPerRequest: 100 } },
    });
    expect(renderGoals(results).rows[0]).to.deep.equal([
      "1. CPU per unary request over the minimal proxy",
      "<= 1.25x",
      "<= 1.10x",
      "2.00x",
      "MISSED",
    ]);
  });
});
