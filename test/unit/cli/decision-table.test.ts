import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import { DecisionSchema, Outcome, TaskType } from "../../../gen/sluice/v1/generation_pb.ts";
import { ScopeMetricsSchema } from "../../../gen/sluice/v1/metrics_pb.ts";
import { paintNothing } from "../../../src/cli/colour.ts";
import { renderDecision } from "../../../src/cli/decision-table.ts";
import { renderScopes } from "../../../src/cli/scopes-table.ts";
import { measureWidth } from "../../../src/cli/text-width.ts";

const SCORE = {
  score: 0.61234,
  successRatio: 0.995,
  quality: 0.82,
  expectedDuration: durationFromMs(2_400),
  expectedCostNanoUsd: 1_234_567n,
  headroomRatio: 1,
};

const DECISION = create(DecisionSchema, {
  attemptNumber: 1,
  target: "fast_group",
  taskType: TaskType.REASONING,
  relaxed: ["min_success"],
  candidates: [
    {
      deployment: "glm/glm-4.6-flash",
      model: "glm-4.6-flash",
      tier: "fast_group.echelon1",
      chosen: true,
      score: SCORE,
    },
    {
      deployment: "local/qwen3",
      model: "qwen3",
      tier: "fast_group.echelon2",
      score: { ...SCORE, score: 0.5 },
    },
    { deployment: "glm/glm-4.5", model: "glm-4.5", tier: "fast_group.echelon2", removedBy: "breaker" },
  ],
});

describe("the table of a decision", () => {
  it("says of each candidate whether it was chosen, could have been, or what removed it", () => {
    const [headline, heading, ...rows] = renderDecision(DECISION, 200, paintNothing);
    expect(headline).to.equal("attempt 1, target fast_group, task reasoning, given up: min_success");
    expect(heading?.split(/ {2,}/)).to.deep.equal([
      "CANDIDATE",
      "VERDICT",
      "SCORE",
      "SUCCESS",
      "QUALITY",
      "TIME",
      "COST",
      "HEADROOM",
      "MODEL",
      "TIER",
    ]);
    expect(rows.map((row) => row.split(/ {2,}/).slice(1, 8))).to.deep.equal([
      ["chosen", "0.612", "99.5%", "0.82", "2.40s", "$0.001234567", "100%"],
      ["eligible", "0.500", "99.5%", "0.82", "2.40s", "$0.001234567", "100%"],
      ["not: breaker", "-", "-", "-", "-", "-", "-"],
    ]);
  });

  it("fits 80 columns and loses no fact", () => {
    const lines = renderDecision(DECISION, 80, paintNothing);
    for (const line of lines) expect(measureWidth(line), line).to.be.at.most(80);
    for (const fact of ["chosen", "not: breaker", "$0.001234567", "fast_group.echelon2"])
      expect(lines.join("\n")).to.contain(fact);
  });

  it("says when no attempt would be made", () => {
    const [headline] = renderDecision(create(DecisionSchema, { target: "auto" }), 80, paintNothing);
    expect(headline).to.equal("no attempt, target auto");
  });
});

describe("the table of scopes", () => {
  const SCOPES = [
    create(ScopeMetricsSchema, {
      scope: "group fast_group",
      requestCount: 200n,
      succeededCount: 199n,
      healthyDeploymentCount: 1,
      deploymentCount: 2,
      fallbackCount: 3n,
      recentFallbacks: [
        {
          eventTime: timestampFromMs(1_700_000_000_000),
          fromDeployment: "glm/glm-4.6-flash",
          toDeployment: "local/qwen3",
          outcome: Outcome.SERVER_ERROR,
        },
      ],
    }),
    create(ScopeMetricsSchema, { scope: "pool idle", deploymentCount: 1 }),
  ];

  it("tells who is healthy, how often it succeeded, and the last fallback", () => {
    const [heading, ...rows] = renderScopes(SCOPES, 200, paintNothing).map((line) => line.split(/ {2,}/));
    expect(heading).to.deep.equal(["SCOPE", "HEALTHY", "REQUESTS", "SUCCESS", "FALLBACKS", "LAST FALLBACK"]);
    expect(rows).to.deep.equal([
      ["group fast_group", "1/2", "200", "99.5%", "3", "glm/glm-4.6-flash server_error, then local/qwen3"],
      ["pool idle", "0/1", "0", "-", "0", "-"],
    ]);
  });

  it("fits 80 columns", () => {
    for (const line of renderScopes(SCOPES, 80, paintNothing)) expect(measureWidth(line)).to.be.at.most(80);
  });
});
