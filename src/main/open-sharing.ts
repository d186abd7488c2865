import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { openNatsBus } from "../bus/nats-bus.ts";
import type { NatsBusCounts } from "../bus/nats-bus-counts.ts";
import type { NatsConfig } from "../config/nats-config.ts";
import type { BusCounts } from "../domain/health-bus.ts";
import type { Clock, Logger, Random } from "../domain/ports.ts";
import { fromJsonPayload, toJsonPayload } from "../fleet/json-payload.ts";
import type { Sharing } from "./build-fleet.ts";

/** Connects a replica to the others, in the background; `close` of the bus ends it. */
export function openSharing(
  nats: NatsConfig,
  ports: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
): Sharing {
  const replicaId = nats.replicaId ?? makeReplicaId(hostname());
  const codec = { toJson: toJsonPayload, fromJson: fromJsonPayload };
  const bus = openNatsBus({ ...nats, replicaId }, { ...ports, codec });
  return { replicaId, bus, readBusCounts: () => summarize(bus.readCounts()) };
}

function summarize(counts: NatsBusCounts): BusCounts {
  return {
    connectionCount: counts.connections,
    failureCount: counts.failures,
    waitingCount: counts.waiting,
    unansweredBytes: counts.unansweredBytes,
    droppedCounts: new Map([
      ["unconnected", counts.droppedUnconnected],
      ["send_queue_full", counts.droppedFull],
      ["unsendable", counts.droppedUnsendable],
      ["receive_queue_full", counts.droppedInbound],
      ["unreadable", counts.unreadable],
      ["forbidden", counts.forbidden],
    ]),
  };
}

/** A name that no other process has, and by which people find the machine: at most 49 lower-case letters, digits and hyphens. */
export function makeReplicaId(host: string): string {
  const word = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, "");
  return `${word || "replica"}-${randomUUID().slice(0, 8)}`;
}
