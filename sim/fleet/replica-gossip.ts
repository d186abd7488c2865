import { COUNTER_FIELDS } from "../../src/core/evidence/bucket-series.ts";
import type { TimeBucket } from "../../src/core/evidence/time-ring.ts";
import { decodeHealthMessage } from "../../src/fleet/decode-health.ts";
import { EvidenceExchange, type ExchangeParts } from "../../src/fleet/evidence-exchange.ts";
import type { EvidenceTable } from "../../src/policies/evidence/evidence-table.ts";
import type { SluiceOptions } from "./sluice-options.ts";

/** Which counters are kept back when a part of the sharing is taken away. */
const QUOTA_FIELDS = ["started", "reservedTokens", "settledTokens"] as const;
const FAILURE_FIELDS = ["hard", "weak"] as const;

/** What gossip needs of its replica. */
export interface GossipParts extends Omit<ExchangeParts, "evidence" | "version"> {
  readonly evidence: EvidenceTable;
  readonly options: SluiceOptions;
}

/** The shipped exchange, with those counters hidden that an ablation takes away. */
export function startGossip({ evidence, options, ...parts }: GossipParts): EvidenceExchange {
  const names = [...(options.quotaSharing ? [] : QUOTA_FIELDS), ...(options.tripTest ? [] : FAILURE_FIELDS)];
  const hidden = new Set<number>(names.map((name) => COUNTER_FIELDS[name]));
  const hide = ({ index, values }: TimeBucket): TimeBucket => ({
    index,
    values: values.map((value, field) => (hidden.has(field) ? 0 : value)),
  });
  const shared: ExchangeParts["evidence"] = {
    report(deployment, fineCount, coarseCount) {
      const { series, ...rest } = evidence.report(deployment, fineCount, coarseCount);
      if (hidden.size === 0) return { series, ...rest };
      return { ...rest, series: { fine: series.fine.map(hide), coarse: series.coarse.map(hide) } };
    },
    reportRegisters: (deployment) => (options.quotaSharing ? evidence.reportRegisters(deployment) : {}),
    reportCredentials: () => evidence.reportCredentials(),
    view: (deployment, nowMs) => evidence.view(deployment, nowMs),
    breakerState: (deployment, nowMs) => evidence.breakerState(deployment, nowMs),
    merge: (message) => evidence.merge(message),
    mergeRegisters: (id, registers) => evidence.mergeRegisters(id, registers),
    mergeCredential: (register) => evidence.mergeCredential(register),
    forgetReplica: (id) => evidence.forgetReplica(id),
    hearReplica: (id, draining) => evidence.hearReplica(id, draining),
    setConnected: (connected) => evidence.setConnected(connected),
  };
  return new EvidenceExchange({ ...parts, evidence: shared, version: "simulated", decode: decodeOnce });
}

/** What was read of each message that is under way: all replicas read the same bytes, and change nothing of it. */
const READ = new WeakMap<Uint8Array, ReturnType<typeof decodeHealthMessage>>();

function decodeOnce(bytes: Uint8Array, sender: string): ReturnType<typeof decodeHealthMessage> {
  const known = READ.get(bytes);
  if (known !== undefined) return known;
  const decoded = decodeHealthMessage(bytes, sender);
  READ.set(bytes, decoded);
  return decoded;
}
