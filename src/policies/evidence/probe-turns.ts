import type { FleetEvidence } from "../../core/evidence/fleet-evidence.ts";
import type { PeerBreaker } from "../../core/evidence/peer-breaker.ts";
import { LEASE_EPOCH_MS, mayProbe } from "../../core/evidence/probe-lease.ts";
import type { Random } from "../../domain/ports.ts";
import type { Breaker } from "../breaker.ts";

/** All replicas together probe a failed deployment about this often. */
const FLEET_PROBE_INTERVAL_MS = 20_000;
/** Each replica probes at least once in so many of its even turns, whatever the others say … */
const MAX_MISSED_TURN_COUNT = 2;
/** … and at least this often, or up to twice as often: not all of them at the same moment. */
const MAX_PROBE_WAIT_MS = 600_000;
/** Replicas do not all come back at the same moment. */
const HASTEN_SPREAD_MS = 1_000;
/** A replica that knows nothing of a deployment itself believes the others' breakers for so long at most. */
const MAX_HELD_BACK_MS = 60_000;

/** Who takes part in the turns. */
export interface TurnParts {
  readonly replicaId: string;
  readonly deploymentId: string;
  readonly listOthers: () => readonly string[];
  readonly wallMs: () => number;
}

/**
 * Keeps the replicas' probes of one deployment apart: one at a time asks, in turns, and the pause between two
 * probes grows with every failed one, whoever made it. The others' probes bring ours forward or put it off;
 * they never open or close a breaker here.
 */
export class ProbeTurns {
  readonly #breaker: Breaker;
  readonly #fleet: FleetEvidence;
  readonly #weightOf: (replicaId: string) => number;
  readonly #random: Random;
  #patienceRatio: number | undefined;
  #parts: TurnParts | undefined;
  #heldBackSinceMs: number | undefined;

  constructor(
    breaker: Breaker,
    fleet: FleetEvidence,
    weightOf: (replicaId: string) => number,
    random: Random,
  ) {
    this.#breaker = breaker;
    this.#fleet = fleet;
    this.#weightOf = weightOf;
    this.#random = random;
  }

  /** From now on this replica probes only in its turn. */
  share(parts: TurnParts): void {
    this.#parts = parts;
    this.#breaker.guardProbes((waitedMs) => this.#mayProbe(parts, waitedMs));
  }

  /** Another replica has told of its breaker. `liveCount`: replicas that are alive, this one included. */
  follow(before: PeerBreaker, after: PeerBreaker, liveCount: number): void {
    if (before.state === "closed") return;
    if (after.state === "closed") this.#breaker.hastenProbe(this.#random.next() * HASTEN_SPREAD_MS);
    else if (after.state === "open" && after.epoch > before.epoch) {
      this.#breaker.followOpenTime(after.probeDelayMs);
      this.#defer(after.probeDelayMs, liveCount);
    }
  }

  /** Our breaker has just opened: where the others have asked for a while already, their turns go on. */
  join(nowMs: number): void {
    const delayMs = this.#fleet.nextProbeDelayMs(nowMs, this.#weightOf);
    if (delayMs === undefined || this.#parts === undefined) return;
    this.#breaker.followOpenTime(this.#fleet.openTimeMs(nowMs, this.#weightOf));
    this.#defer(delayMs, this.#parts.listOthers().length + 1);
  }

  /**
   * Whether the others' breakers are believed as far as that one attempt, which shows who is right, is made
   * in this replica's turn and not at once: while most of them hold it open, and this replica,
   * which has `answered` nothing of it yet, can say nothing against them.
   */
  believes(nowMs: number, answered: boolean): boolean {
    const holds =
      !answered && this.#parts !== undefined && this.#fleet.isHeldOpenByMost(nowMs, this.#weightOf);
    if (!holds) {
      this.#heldBackSinceMs = undefined;
      return false;
    }
    this.#heldBackSinceMs ??= nowMs;
    return nowMs - this.#heldBackSinceMs < MAX_HELD_BACK_MS;
  }

  /** Whether the turn that `believes` waits for has come. */
  isDue(nowMs: number): boolean {
    const overdueMs = this.#fleet.probeOverdueMs(nowMs, this.#weightOf);
    return overdueMs >= 0 && this.#parts !== undefined && this.#mayProbe(this.#parts, overdueMs);
  }

  /**
   * Whether the attempt that shows who is right is made in this replica's turn because most of the others speak against
   * the deployment: one failed call tells the whole fleet as much as one of each. The word of a few, who may be wrong, is checked at once.
   */
  takesTurns(nowMs: number): boolean {
    return this.#parts !== undefined && this.#fleet.isAccusedByMost(nowMs, this.#weightOf);
  }

  /** Whether it may be made now. Without traffic nobody takes a turn, and the next one is another's. */
  get isOurTurn(): boolean {
    return this.#parts !== undefined && this.#mayProbe(this.#parts, 0);
  }

  #mayProbe({ replicaId, deploymentId, listOthers, wallMs }: TurnParts, waitedMs: number): boolean {
    const others = listOthers();
    return (
      others.length === 0 || mayProbe(replicaId, deploymentId, [...others, replicaId], wallMs(), waitedMs)
    );
  }

  #defer(delayMs: number, liveCount: number): void {
    const turnsMs = FLEET_PROBE_INTERVAL_MS * liveCount * MAX_MISSED_TURN_COUNT;
    const spreadMs = this.#random.next() * LEASE_EPOCH_MS;
    this.#patienceRatio ??= 1 - this.#random.next() / 2;
    const maxWaitMs = Math.min(turnsMs, MAX_PROBE_WAIT_MS) * this.#patienceRatio;
    this.#breaker.deferProbe(delayMs + spreadMs, maxWaitMs);
  }
}
