import type { Deployment } from "../domain/deployment.ts";
import type { Clock, Random } from "../domain/ports.ts";
import type { EvidenceTable } from "./evidence/evidence-table.ts";
import { QuotaQueue } from "./quota-queue.ts";

/** What the queues are made with. */
export interface QuotaQueuesParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly evidence: EvidenceTable;
  /** The most attempts that wait for one deployment's limits. */
  readonly maxWaitingAttempts: number;
}

/** The queue at the limits of every deployment. */
export class QuotaQueues {
  readonly #queues: ReadonlyMap<string, QuotaQueue>;

  constructor(deployments: readonly Deployment[], parts: QuotaQueuesParts) {
    const { clock, random, evidence, maxWaitingAttempts: maxWaitingCount } = parts;
    this.#queues = new Map(
      deployments.map((deployment) => {
        const pace = evidence.quotaPace(deployment);
        return [deployment.id, new QuotaQueue({ clock, random, pace, maxWaitingCount })];
      }),
    );
  }

  /** That of a deployment of the catalog; asking for any other is a bug. */
  of(deployment: Deployment): QuotaQueue {
    const queue = this.#queues.get(deployment.id);
    if (queue === undefined) throw new Error(`deployment ${deployment.id} has no queue`);
    return queue;
  }

  /** Releases what the queues hold. */
  close(): void {
    for (const queue of this.#queues.values()) queue.close();
  }
}
