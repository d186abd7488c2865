import type { GossipBus } from "../../sim/fleet/gossip-bus.ts";
import { COUNTERS } from "../../src/core/evidence/bucket-series.ts";
import type { BusMessage, HealthBus } from "../../src/domain/health-bus.ts";
import type { Cleanup, Clock } from "../../src/domain/ports.ts";
import { encodeHealthMessage } from "../../src/fleet/encode-health.ts";
import type { DeploymentReport } from "../../src/fleet/health-message.ts";
import { HEALTH_PATTERN, healthSubject } from "../../src/fleet/subjects.ts";
import { seededRandom } from "../../src/lib/random.ts";

/** What a lying replica does. */
export const LIES = ["all-down", "all-up", "oscillating", "replayed", "garbage", "flood"] as const;
/** `none`: it says truthfully that it uses its share of the limits. */
export type Lie = (typeof LIES)[number] | "none";

const TICK_MS = 250;
/** Kept and sent again. */
const MAX_KEPT_COUNT = 2_000;
const FLOOD_COUNT = 60;
/** Per second and deployment: about a third of what limits of 352 per minute allow. */
const HONEST_COUNT = 2;

/** Whom it lies about. */
export interface LieTargets {
  readonly deployments: readonly string[];
  readonly providers: readonly string[];
}

/** A replica that is well-formed as far as it serves it, and lies. */
export class LyingPeer {
  readonly #clock: Clock;
  readonly #bus: HealthBus;
  readonly #id: string;
  readonly #lie: Lie;
  readonly #targets: LieTargets;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #kept: BusMessage[] = [];
  #sequence = 0;
  #tickCount = 0;
  #stop: Cleanup = () => {};

  constructor(clock: Clock, bus: GossipBus, place: number, lie: Lie, targets: LieTargets) {
    this.#clock = clock;
    this.#bus = bus.join(place);
    this.#id = `liar-${place}`;
    this.#lie = lie;
    this.#targets = targets;
    this.#random = seededRandom(place);
    this.#bus.subscribe(HEALTH_PATTERN, (message) => {
      this.#kept.push(message);
      if (this.#kept.length > MAX_KEPT_COUNT) this.#kept.shift();
    });
    this.#arm();
  }

  close(): void {
    this.#stop();
    void this.#bus.close();
  }

  #arm(): void {
    this.#stop = this.#clock.timer(TICK_MS, () => {
      this.#tickCount += 1;
      this.#act();
      this.#arm();
    });
  }

  #act(): void {
    const isDownTurn = Math.floor(this.#tickCount / 20) % 2 === 0;
    switch (this.#lie) {
      case "all-down":
        return this.#tell(true);
      case "none":
        return this.#tell(false, HONEST_COUNT);
      case "all-up":
        return this.#tell(false);
      case "oscillating":
        return this.#tell(isDownTurn);
      case "replayed":
        for (let count = 0; count < 10; count++) {
          const old = this.#kept[Math.floor(this.#random.next() * this.#kept.length)];
          if (old !== undefined) this.#bus.publish(old);
        }
        return;
      case "garbage":
        for (let count = 0; count < 5; count++) this.#babble();
        return;
      case "flood":
        for (let count = 0; count < FLOOD_COUNT; count++) this.#tell(count % 2 === 0);
    }
  }

  /** Everything it can say against, or for, what it lies about. */
  #tell(isDown: boolean, count = 200): void {
    const nowMs = Math.floor(this.#clock.nowMs());
    const epoch = this.#tickCount;
    const register = { epoch, value: 3_600_000, replicaId: this.#id };
    // About what it has spent it does not lie: that is believed within its own bound.
    const values = COUNTERS.map((counter) => {
      if (counter === "started") return HONEST_COUNT;
      return counter === (isDown ? "hard" : "ok") ? count : 0;
    });
    const deployments = this.#targets.deployments.map(
      (deploymentId): DeploymentReport => ({
        deploymentId,
        inFlightCount: isDown ? 1_000 : 0,
        healthScore: isDown ? 0 : 1,
        series: {
          fine: [{ index: Math.floor(nowMs / 1_000), values }],
          coarse: [{ index: Math.floor(nowMs / 5_000), values }],
        },
        breaker: { state: isDown ? "open" : "closed", epoch, closedMs: 0, probeDelayMs: 60_000 },
        registers: isDown
          ? {
              cooldown: { register, remainingMs: 3_600_000 },
              quota: {
                register,
                ageMs: 0,
                headers: { requests: { limit: 400, remaining: 0, resetMs: 3_600_000 } },
              },
            }
          : {},
      }),
    );
    const credentials = isDown
      ? this.#targets.providers.map((provider) => ({
          provider,
          disabled: { register, remainingMs: 900_000 },
        }))
      : [];
    this.#send(encodeHealthMessage(this.#makeHeader(nowMs), "delta", { deployments, credentials }));
  }

  #babble(): void {
    const old = this.#kept[Math.floor(this.#random.next() * this.#kept.length)]?.payload;
    const bytes = old?.slice() ?? new Uint8Array(64);
    for (let count = 0; count < 6; count++) {
      bytes[Math.floor(this.#random.next() * bytes.length)] = Math.floor(this.#random.next() * 256);
    }
    this.#send(bytes);
  }

  #makeHeader(sentMs: number) {
    const sequence = this.#sequence++;
    const about = { version: "0", uptimeMs: 0, draining: false };
    return { replicaId: this.#id, incarnation: 1, sequence, sentMs, ...about };
  }

  #send(payload: Uint8Array): void {
    this.#bus.publish({ subject: healthSubject(this.#id), type: "sluice.v1.HealthMessage", payload });
  }
}
