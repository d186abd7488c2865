import { expect } from "chai";
import { PrometheusMetrics } from "../../../src/telemetry/prometheus.ts";
import { RouterBench } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

describe("the metrics page", () => {
  async function scrape(record?: (metrics: PrometheusMetrics, bench: RouterBench) => void) {
    const bench = new RouterBench([sampleModel("m", { providers: ["p", "q"] })]);
    const metrics = new PrometheusMetrics(bench.routing.metrics);
    record?.(metrics, bench);
    const text = await metrics.text();
    bench.routing.close();
    return text;
  }

  it("tells what routing expects of each deployment", async () => {
    const text = await scrape();
    for (const id of ["p/m", "q/m"]) {
      expect(text).to.match(new RegExp(`^sluice_health_score\\{deployment="${id}"\\} (1|0\\.\\d+)$`, "m"));
      expect(text).to.contain(`sluice_headroom_ratio{deployment="${id}"} 1\n`);
      expect(text).to.contain(`sluice_admitted_ratio{deployment="${id}"} 1\n`);
    }
  });

  it("counts attempts by why they were made and how they ended", async () => {
    const text = await scrape((metrics, bench) => {
      const [deployment] = bench.deployments.models.flatMap((model) => model.deployments);
      if (deployment === undefined) throw new Error("there is no deployment");
      const attempt = { attemptNumber: 1, deployment, totalMs: 5, tier: "model m" };
      metrics.recordAttempt({ ...attempt, outcome: "success", purpose: "hedge" });
      metrics.recordAttempt({ ...attempt, outcome: "superseded", purpose: "first" });
      metrics.recordAttempt({ ...attempt, outcome: "superseded", purpose: "first" });
    });
    expect(text).to.contain('sluice_attempts_total{deployment="p/m",purpose="hedge",outcome="success"} 1\n');
    expect(text).to.contain(
      'sluice_attempts_total{deployment="p/m",purpose="first",outcome="superseded"} 2\n',
    );
  });
});
