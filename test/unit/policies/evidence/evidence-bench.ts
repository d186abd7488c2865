import type { AttemptRecord } from "../../../../src/domain/attempt.ts";
import type { Deployment } from "../../../../src/domain/deployment.ts";
import type { Outcome } from "../../../../src/domain/outcome.ts";
import type { Random } from "../../../../src/domain/ports.ts";
import { Breaker, type BreakerOptions } from "../../../../src/policies/breaker.ts";
import type { DeploymentView } from "../../../../src/policies/evidence/deployment-view.ts";
import type { EvidenceOptions } from "../../../../src/policies/evidence/evidence-options.ts";
import { EvidenceTable } from "../../../../src/policies/evidence/evidence-table.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";
import { ManualClock, MIDDLE } from "../breaker/breaker-bench.ts";

/** An attempt's size in tests: 1,000 tokens of prompt cost 20 ms. */
const SIZE = { promptTokens: 1_000, expectedOutputTokens: 100 };

/** One replica's evidence, with its breakers, on a clock that replicas may share. */
export class EvidenceBench {
  readonly clock: ManualClock;
  readonly table: EvidenceTable;
  readonly deployments: readonly Deployment[];
  readonly breakers = new Map<string, Breaker>();

  /** `providers`: one deployment each, of one model per repetition of the same name. */
  constructor(
    providers: readonly string[],
    options: Partial<EvidenceOptions & { breaker: BreakerOptions; clock: ManualClock; random: Random }> = {},
  ) {
    this.clock = options.clock ?? new ManualClock();
    const random = options.random ?? MIDDLE;
    const models = providers.map((provider, position) =>
      sampleModel(`m${position}`, { providers: [provider] }),
    );
    const subjects = models.flatMap((model) =>
      model.deployments.map((deployment) => {
        const breaker = new Breaker(this.clock, options.breaker ?? { kind: "adaptive" }, () => {}, random);
        this.breakers.set(deployment.id, breaker);
        return { model, deployment, breaker };
      }),
    );
    this.deployments = subjects.map(({ deployment }) => deployment);
    this.table = new EvidenceTable(subjects, this.clock, random, { performanceTracking: true, ...options });
  }

  deployment(position = 0): Deployment {
    const deployment = this.deployments[position];
    if (deployment === undefined) throw new Error(`there is no deployment ${position}`);
    return deployment;
  }

  breaker(position = 0): Breaker {
    const breaker = this.breakers.get(this.deployment(position).id);
    if (breaker === undefined) throw new Error(`there is no breaker ${position}`);
    return breaker;
  }

  view(position = 0): DeploymentView {
    return this.table.view(this.deployment(position), this.clock.ms);
  }

  /** The numbers of a view, to compare with those of another moment. */
  health(position = 0): readonly number[] {
    const { successMean, successDeviation, ttftLogMean, ttftLogDeviation, tpotMs, healthScore } =
      this.view(position);
    return [successMean, successDeviation, ttftLogMean, ttftLogDeviation, tpotMs, healthScore];
  }

  /** Begins an attempt; what it returns ends it. A breaker that is not available gives no permit. */
  start(position = 0): (outcome: Outcome, more?: Partial<AttemptRecord>) => void {
    const deployment = this.deployment(position);
    const permit = this.breaker(position).acquire();
    const started = this.table.recordStart(deployment, SIZE);
    return (outcome, more = {}) => {
      const record: AttemptRecord = {
        ...{ attemptNumber: 1, deployment, outcome, totalMs: 100, purpose: "first", tier: "auto" },
        ...(outcome === "success" ? { timeToFirstTokenMs: 520, totalMs: 1_000 } : {}),
        ...more,
      };
      this.table.recordEnd(started, record, permit);
    };
  }

  /** Whole attempts, one after the other, `gapMs` apart. */
  run(count: number, outcome: Outcome, position = 0, gapMs = 10): void {
    for (let attempt = 0; attempt < count; attempt++) {
      this.start(position)(outcome);
      this.clock.ms += gapMs;
    }
  }

  /** Tells another replica what this one has counted about a deployment. */
  tell(listener: EvidenceBench, replicaId: string, position = 0, incarnation = 1): void {
    const deployment = this.deployment(position);
    const report = this.table.report(deployment);
    listener.table.merge({
      ...report,
      replicaId,
      incarnation,
      sequence: this.clock.ms,
      deploymentId: deployment.id,
    });
  }
}
