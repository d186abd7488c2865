/**
 * What replicas would know of each other that poll shared state: the contender of sharing over NATS.
 *
 * Each replica has a subject prefix of its own, so that none hears another, and each is given at the
 * interval, from a moment by chance on, the whole evidence that each other replica has at that
 * moment, as a replica that joins gets it. What it was given counts as new until the next time:
 * it is said again every second, so that its age alone takes no weight from it. Attempts in flight
 * are left out, since said again they would be attempts that never end. Everything else is Sluice's
 * own on both sides, so the figures differ by how evidence travels and by nothing else.
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  HealthMessageSchema,
  ReplicaHeaderSchema,
  type Snapshot,
  SnapshotRequestSchema,
  SnapshotSchema,
} from "../../gen/sluice/v1/events_pb.ts";
import type { NatsBus } from "../../src/bus/nats-bus.ts";
import type { Random } from "../../src/domain/ports.ts";
import { healthSubject, SYNC_SUBJECT } from "../../src/fleet/subjects.ts";

/** Three of these fit into the time after which a replica that says nothing no longer counts as alive. */
const REPEAT_MS = 1_000;
const ANSWER_LIMITS = { maxAnswers: 1, timeoutMs: 250 } as const;

/** A replica and a bus to it alone. */
export interface PolledReplica {
  readonly id: string;
  readonly bus: NatsBus;
}

/** Polls until the function that it returns is called. `random` says when each begins. */
export function pollSharedState(
  replicas: readonly PolledReplica[],
  intervalMs: number,
  random: Random,
): () => void {
  const stops = replicas.flatMap((reader) =>
    replicas
      .filter((sender) => sender !== reader)
      .map((sender) => new Reading(reader, sender))
      .map((reading) => reading.start(intervalMs, random.next() * intervalMs)),
  );
  return () => {
    for (const stop of stops) stop();
  };
}

/** One replica that reads the state of another. */
class Reading {
  readonly #reader: PolledReplica;
  readonly #sender: PolledReplica;
  #snapshot: Snapshot | undefined;
  #readMs = 0;
  #sequence = 0n;

  constructor(reader: PolledReplica, sender: PolledReplica) {
    this.#reader = reader;
    this.#sender = sender;
  }

  start(intervalMs: number, firstMs: number): () => void {
    let pollTimer: NodeJS.Timeout | undefined;
    const startTimer = setTimeout(() => {
      this.#poll();
      pollTimer = setInterval(() => this.#poll(), intervalMs);
    }, firstMs);
    const repeatTimer = setInterval(() => this.#tell(), REPEAT_MS);
    return () => {
      clearTimeout(startTimer);
      clearInterval(pollTimer);
      clearInterval(repeatTimer);
    };
  }

  #poll(): void {
    const header = create(ReplicaHeaderSchema, { replicaId: this.#reader.id, incarnation: 1n });
    const payload = toBinary(SnapshotRequestSchema, create(SnapshotRequestSchema, { header }));
    const question = { subject: SYNC_SUBJECT, type: "sluice.v1.SnapshotRequest", payload };
    this.#sender.bus.ask(question, ANSWER_LIMITS, (answer) => {
      this.#snapshot = fromBinary(SnapshotSchema, answer.payload);
      this.#readMs = performance.now();
      this.#tell();
    });
  }

  #tell(): void {
    const { header, report } = this.#snapshot ?? {};
    if (header === undefined || report === undefined) return;
    const ageMs = BigInt(Math.round(performance.now() - this.#readMs));
    const message = create(HealthMessageSchema, {
      header: { ...header, sequence: this.#sequence++, sentMonoMs: header.sentMonoMs + ageMs },
      content: {
        case: "digest",
        value: {
          ...report,
          deployments: report.deployments.map((deployment) => ({ ...deployment, inFlightCount: 0 })),
        },
      },
    });
    this.#reader.bus.publish({
      subject: healthSubject(this.#sender.id),
      type: "sluice.v1.HealthMessage",
      payload: toBinary(HealthMessageSchema, message),
    });
  }
}
