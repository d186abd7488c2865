import type { EvidenceTable } from "../policies/evidence/evidence-table.ts";

/** The evidence that is shared. */
export type SharedEvidence = Pick<
  EvidenceTable,
  | "report"
  | "reportRegisters"
  | "reportCredentials"
  | "view"
  | "breakerState"
  | "merge"
  | "mergeRegisters"
  | "mergeCredential"
  | "forgetReplica"
  | "hearReplica"
  | "setConnected"
>;
