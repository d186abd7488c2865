import { expect } from "chai";
import { ALONE } from "../../../src/domain/fleet-metrics.ts";
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

  it("tells what the bus between replicas has been through, by why messages were given up", async () => {
    const droppedCounts = new Map([["send_queue_full", 3] as const]);
    const bus = { connectionCount: 2, failureCount: 4, waitingCount: 5, unansweredBytes: 6, droppedCounts };
    const bench = new RouterBench([sampleModel("m", { providers: ["p"] })]);
    const { metrics } = bench.routing;
    const text = await new PrometheusMetrics({
      onBreakerChange: (fn) => metrics.onBreakerChange(fn),
      snapshot: (models) => ({ ...metrics.snapshot(models), fleet: { ...ALONE, bus } }),
    }).text();
    bench.routing.close();
    for (const line of [
      "sluice_bus_connections 2",
      "sluice_bus_failures 4",
      "sluice_bus_waiting_messages 5",
      "sluice_bus_unanswered_bytes 6",
      'sluice_bus_messages_dropped{reason="send_queue_full"} 3',
      'sluice_bus_messages_dropped{reason="forbidden"} 0',
    ]) {
      expect(text).to.contain(`${line}\n`);
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
