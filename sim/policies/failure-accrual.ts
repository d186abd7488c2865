import type { Random } from "../../src/domain/ports.ts";
import type { CallReport } from "./policy.ts";

const MIN_SUCCESS_RATIO = 0.8;
const WINDOW_MS = 30_000;
const MIN_CALL_COUNT = 5;
const MAX_FAILURES_IN_A_ROW = 5;
const FIRST_DEAD_MS = 5_000;
const MAX_DEAD_MS = 300_000;

interface Host {
  successRatio: number;
  noteMs: number;
  callCount: number;
  failuresInARow: number;
  /** How often it has died without a success between. */
  deathCount: number;
  deadUntilMs: number;
  isDead: boolean;
  isProbed: boolean;
}

/**
 * Finagle's failure accrual with its defaults: an endpoint dies when its mean success over 30 s is
 * below 0.8, of at least five calls, or after five failures in a row; for 5 s, twice as long each
 * time up to 300 s, half of it by chance; then one call tries, and its success revives.
 */
export class FailureAccrual {
  readonly #nowMs: () => number;
  readonly #random: Random;
  readonly #hosts = new Map<number, Host>();

  constructor(nowMs: () => number, random: Random) {
    this.#nowMs = nowMs;
    this.#random = random;
  }

  /** Those that live or may be tried; everybody when none may. */
  admit(from: readonly number[]): readonly number[] {
    const admitted = from.filter((endpoint) => {
      const { isDead, isProbed, deadUntilMs } = this.#host(endpoint);
      return !isDead || (!isProbed && this.#nowMs() >= deadUntilMs);
    });
    return admitted.length > 0 ? admitted : from;
  }

  noteStart(endpoint: number): void {
    const host = this.#host(endpoint);
    if (host.isDead) host.isProbed = true;
  }

  noteEnd({ endpoint, outcome }: CallReport): void {
    const host = this.#host(endpoint);
    const succeeded = outcome === "ok";
    if (host.isDead) {
      if (!host.isProbed) return;
      host.isProbed = false;
      if (!succeeded) return this.#die(host);
      this.#hosts.set(endpoint, makeHost(this.#nowMs()));
      return;
    }
    const weight = Math.exp(-(this.#nowMs() - host.noteMs) / WINDOW_MS);
    host.successRatio = host.successRatio * weight + (succeeded ? 1 - weight : 0);
    host.noteMs = this.#nowMs();
    host.callCount += 1;
    host.failuresInARow = succeeded ? 0 : host.failuresInARow + 1;
    const isPoor = host.callCount >= MIN_CALL_COUNT && host.successRatio < MIN_SUCCESS_RATIO;
    if (!succeeded && (isPoor || host.failuresInARow >= MAX_FAILURES_IN_A_ROW)) this.#die(host);
  }

  #die(host: Host): void {
    const fullMs = Math.min(FIRST_DEAD_MS * 2 ** host.deathCount, MAX_DEAD_MS);
    host.deathCount += 1;
    host.isDead = true;
    host.deadUntilMs = this.#nowMs() + fullMs * (0.5 + 0.5 * this.#random.next());
  }

  #host(endpoint: number): Host {
    const known = this.#hosts.get(endpoint);
    if (known !== undefined) return known;
    const host = makeHost(this.#nowMs());
    this.#hosts.set(endpoint, host);
    return host;
  }
}

function makeHost(noteMs: number): Host {
  return {
    successRatio: 1,
    noteMs,
    callCount: 0,
    failuresInARow: 0,
    deathCount: 0,
    deadUntilMs: 0,
    isDead: false,
    isProbed: false,
  };
}
