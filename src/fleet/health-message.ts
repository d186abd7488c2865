/** What goes over the bus between replicas, as values. */

import type { ReplicaEvidence } from "../core/evidence/replica-evidence.ts";
import type { CredentialRegister, DeploymentRegisters } from "../core/evidence/replica-registers.ts";

/** Who speaks; see `ReplicaHeader` in events.proto. */
export interface ReplicaHeader {
  readonly replicaId: string;
  readonly incarnation: number;
  readonly sequence: number;
  /** Whole milliseconds of the sender's Clock. */
  readonly sentMs: number;
  readonly version: string;
  readonly uptimeMs: number;
  readonly draining: boolean;
}

/** What is said of one deployment. */
export interface DeploymentReport
  extends Omit<ReplicaEvidence, "replicaId" | "incarnation" | "sequence" | "sentMs"> {
  readonly registers: DeploymentRegisters;
  /** 0 to 1; for subscribers. */
  readonly healthScore: number;
}

export interface EvidenceReport {
  readonly deployments: readonly DeploymentReport[];
  readonly credentials: readonly CredentialRegister[];
}

export type ReportKind = "delta" | "digest" | "urgent";

/** Evidence with its speaker. */
export interface HealthMessage {
  readonly header: ReplicaHeader;
  /** `unknown` is of a newer version: its header counts, the rest is empty. */
  readonly kind: ReportKind | "snapshot" | "unknown";
  readonly report: EvidenceReport;
}
