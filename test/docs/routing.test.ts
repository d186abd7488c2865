import { expect } from "chai";
import { DEFAULT_CHOICE_SETTINGS, PRIORITY_WEIGHTS } from "../../src/core/choice/choice-settings.ts";
import { RELAXATIONS } from "../../src/core/choice/decision.ts";
import { CHOICE_FILTERS, FILTER_CODES, PERMANENT_FILTERS } from "../../src/core/choice/hard-filters.ts";
import {
  classifyEvidence,
  FAILURE_WEIGHTS,
  HOLD_MS,
  TRIP_WEIGHTS,
} from "../../src/core/evidence/outcome-door.ts";
import { TRIAL_TRIP_THRESHOLD, TRIP_THRESHOLD } from "../../src/core/evidence/trip-statistic.ts";
import { FAILURE_POLICIES } from "../../src/core/failure-policy.ts";
import { FAILURE_CLASSES, type Outcome } from "../../src/domain/outcome.ts";
import { readPage } from "./read-markdown.ts";

const page = readPage("docs/routing.md");

/** The rows of the table whose first heading is `heading`, as cells without back-ticks. */
function readTable(heading: string): string[][] {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  expect(start, `a table with the heading ${heading}`).to.be.at.least(0);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  }
  return rows;
}

describe("docs/routing.md", () => {
  it("lists the filters in the order in which they are applied", () => {
    expect(readTable("filter").map(([name]) => name)).to.deep.equal([...CHOICE_FILTERS]);
  });

  it("says of no filter that time or relaxation mends it when neither does", () => {
    for (const [name, , mends] of readTable("filter")) {
      const code = FILTER_CODES[name as keyof typeof FILTER_CODES];
      if ((PERMANENT_FILTERS & (1 << code)) !== 0) expect(mends, name).to.equal("never");
    }
  });

  it("lists what is given up, in order", () => {
    const rows = readTable("given up");
    expect(rows.map(([name]) => name)).to.deep.equal([...RELAXATIONS]);
    const givenUp = readTable("filter").filter(([, , mends]) => mends?.includes("given up"));
    expect(new Set(rows.flatMap(([, passes = ""]) => passes.split(", ")))).to.deep.equal(
      new Set(givenUp.map(([name]) => name)),
    );
  });

  it("lists the weights of each priority", () => {
    const weights = readTable("priority").map(([priority, quality, latency, cost]) => [
      priority,
      { quality: Number(quality), speed: Number(latency), cost: Number(cost) },
    ]);
    expect(Object.fromEntries(weights)).to.deep.equal(PRIORITY_WEIGHTS);
  });

  it("names the door of each outcome", () => {
    const doors = readTable("door");
    const shown = doors.flatMap(([door, outcomes = ""]) =>
      outcomes.split(", ").map((outcome): [string, string | undefined] => [outcome, door]),
    );
    const outcomes: Exclude<Outcome, "superseded">[] = ["success", "local", ...FAILURE_CLASSES];
    expect(Object.fromEntries(shown)).to.deep.equal(
      Object.fromEntries(outcomes.map((outcome) => [outcome, classifyEvidence(outcome, 0, 0, true)])),
    );
    expect(doors.map(([door]) => door).sort()).to.deep.equal(Object.keys(TRIP_WEIGHTS).sort());
    expect(HOLD_MS).to.equal(600_000);
    expect(FAILURE_WEIGHTS.weak).to.equal(FAILURE_WEIGHTS.hard / 2);
    for (const [door, , changes = ""] of doors) {
      const told = /trip statistic ([−+][\d.]+)/.exec(changes)?.[1]?.replace("−", "-") ?? "0";
      expect(Number(told), door).to.equal(TRIP_WEIGHTS[door as keyof typeof TRIP_WEIGHTS]);
    }
  });

  it("says where a request goes after each failure", () => {
    const words = {
      any: "any other deployment",
      other_provider: "another provider",
      larger_context: "a larger window",
      nowhere: "nowhere",
    };
    expect(Object.fromEntries(readTable("failure"))).to.deep.equal(
      Object.fromEntries(
        Object.entries(FAILURE_POLICIES).map(([name, { fallback }]) => [name, words[fallback]]),
      ),
    );
  });

  const settings = DEFAULT_CHOICE_SETTINGS;
  const numbers: readonly [keyof typeof settings, number, string][] = [
    ["failurePenalty", 0.1, "(1 − P) × 0.1"],
    ["probationSuccessRatio", 0.75, "0.75 for a half-open one"],
    ["deviationFactor", 0.5, "plus half its deviation"],
    ["promptMsPerToken", 0.02, "0.02 ms per token of the prompt"],
    ["referenceLatencyMs", 1_000, "without it 1,000 ms"],
    ["referenceMsPerToken", 15, "15 ms per expected output token"],
    ["referenceCostNanoUsd", 1_000_000, "0.001 US dollars"],
    ["crowdingWeight", 0.2, "0.2 × what headroom lacks of 1"],
    ["softPlaceRatio", 0.15, "fewer than 0.15 of them are free"],
    ["clipPenalty", 0.25, "0.25 × the share of the asked output"],
    ["sameProviderPenalty", 0.05, "0.05 for the provider whose attempt has just failed"],
    ["hardHeadroomRatio", 0.02, "with 0.02 or less of its limits free"],
    ["spillFactor", 1.4, "min(1, 1.4 × mean headroom / 0.2)"],
    ["assumedDemandRatio", 0.2, "min(1, 1.4 × mean headroom / 0.2)"],
    ["probeMaxGap", 0.25, "at most 0.25 behind the best"],
    ["probeMaxCostFactor", 3, "costs at most 3 times as much"],
    ["speedProbeRatio", 0.1, "with priority `speed` by one request in ten"],
    ["staleAfterMs", 60_000, "was not measured for 60 s"],
    ["staleShareRatio", 0.01, "by one request in a hundred"],
    ["nearBestGap", 0.01, "at most 0.01 behind the best"],
    ["nearBestPoolGap", 0.02, "0.02 in pools"],
    ["hysteresisFactor", 1.5, "1.5 times that for the one chosen last"],
  ];
  it("states every constant of the choice as it is", () => {
    const plain = page.replace(/\s+/g, " ");
    for (const [name, value, words] of numbers) {
      expect(settings[name], name).to.equal(value);
      expect(plain, name).to.contain(words);
    }
    const told = new Set<string>([...numbers.map(([name]) => name), "weights"]);
    expect(Object.keys(settings).filter((name) => !told.has(name))).to.deep.equal([]);
  });

  it("states when the adaptive breaker opens", () => {
    const words = "three hard failures, with two answers among them at most, or five weak ones";
    expect(page).to.contain(`; ${TRIP_THRESHOLD} opens the breaker: ${words}.`);
    const { hard, weak, ok } = TRIP_WEIGHTS;
    expect(3 * hard + 2 * ok).to.be.at.least(TRIP_THRESHOLD);
    for (const fewer of [2 * hard, 3 * hard + 3 * ok, 4 * weak]) expect(fewer).to.be.below(TRIP_THRESHOLD);
    expect(5 * weak).to.be.at.least(TRIP_THRESHOLD);
    expect(page).to.contain(`${TRIAL_TRIP_THRESHOLD} is enough while it ramps`);
  });
});
