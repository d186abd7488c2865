import { expect } from "chai";
import type { AttemptRecord } from "../../../src/domain/attempt.ts";
import { PrometheusMetrics } from "../../../src/telemetry/prometheus.ts";
import { RouteTelemetry } from "../../../src/telemetry/route-telemetry.ts";
import { RouterBench } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

describe("the log line of a failed attempt", () => {
  function tell(facts: Pick<AttemptRecord, "outcome"> & Partial<AttemptRecord>): string {
    const bench = new RouterBench([sampleModel("m")]);
    const [deployment] = bench.deployments.models.flatMap((model) => model.deployments);
    if (deployment === undefined) throw new Error("there is no deployment");
    const warnings: string[] = [];
    const none = () => {};
    const logger = {
      debug: none,
      info: none,
      error: none,
      warn: (message: string) => warnings.push(message),
    };
    const telemetry = new RouteTelemetry(logger, new PrometheusMetrics(bench.routing.metrics));
    const record = {
      attemptNumber: 1,
      deployment,
      totalMs: 5,
      tier: "m",
      purpose: "first",
      ...facts,
    } as const;
    telemetry.onAttemptEnd(record, "request-1");
    bench.routing.close();
    return warnings.join("\n");
  }

  it("says that a deployment is set aside when its provider does not have the model", () => {
    expect(tell({ outcome: "model_unavailable" })).to.include("set aside for ten minutes");
  });

  it("says what Zhipu's 1113 may mean: no credit, or a coding plan's key at the wrong address", () => {
    expect(tell({ outcome: "quota_exhausted", providerCode: "1113" })).to.include("/api/coding/paas/v4");
    expect(tell({ outcome: "quota_exhausted", providerCode: "1304" })).to.equal("attempt failed");
    expect(tell({ outcome: "rate_limit", providerCode: "1113" })).to.equal("attempt failed");
  });

  it("is not there for a success", () => {
    expect(tell({ outcome: "success" })).to.equal("");
  });
});
