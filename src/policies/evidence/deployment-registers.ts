import { MAX_RETRY_AFTER_MS } from "../../core/evidence/cooldown.ts";
import { HeededWait } from "../../core/evidence/heeded-wait.ts";
import { acceptQuotaReading } from "../../core/evidence/provider-quota.ts";
import type { Quota, QuotaHeaders } from "../../core/evidence/quota.ts";
import type {
  DeploymentRegisters as RegisterValues,
  TimedRegister,
} from "../../core/evidence/replica-registers.ts";
import { SharedRegister } from "../../core/evidence/shared-register.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";

/** Two clocks are not told apart more exactly than this. */
const CLOCK_SLACK_MS = 1_000;
/** Headers older than this say nothing any more. */
const MAX_HEADERS_AGE_MS = 60_000;
/** So often at once, and once a minute after that, what was imposed here is taken back by another's word: it may be a lie. */
const TAKE_BACK_BURST_COUNT = 3;
const TAKE_BACKS_PER_S = 1 / 60;

/** A wait that all replicas share: the newest writing of any of them. Times are by the own Clock. */
export class SharedWait {
  readonly #register: SharedRegister<number>;
  readonly #heeded = new HeededWait();
  readonly #takeBacks = new TokenBucket(TAKE_BACK_BURST_COUNT, TAKE_BACKS_PER_S, 0);
  #ownMs: number | undefined;

  constructor(replicaId: string) {
    this.#register = new SharedRegister(replicaId);
  }

  /** Until when others' word says to wait, as far as it is heeded. */
  get heededUntilMs(): number {
    return this.#heeded.untilMs;
  }

  /** The wait was imposed here. Written only when it is longer than what is known. */
  impose(nowMs: number, untilMs: number): void {
    this.#ownMs = nowMs;
    if (untilMs > (this.#register.held?.content ?? 0)) this.#write(nowMs, untilMs);
  }

  /** The wait is over before its time: an operator's word, or an attempt that was answered. */
  takeBack(nowMs: number): void {
    this.#heeded.clear();
    if ((this.#register.held?.content ?? 0) > nowMs) this.#register.write(0, 0);
  }

  /** Joins another replica's; true when it takes back what was imposed here, and is believed. `ownUntilMs`: the wait imposed here. */
  join(nowMs: number, { register, remainingMs }: TimedRegister, ownUntilMs: number): boolean {
    const untilMs = remainingMs > 0 ? nowMs + Math.min(remainingMs, MAX_RETRY_AFTER_MS) : 0;
    if (!this.#register.join(register, () => untilMs)) return false;
    if (register.value === 0) {
      this.#heeded.clear();
      return ownUntilMs > nowMs && this.#takeBacks.take(nowMs);
    }
    this.#heeded.heed(nowMs, remainingMs, this.#ownMs);
    // The other did not know of ours when it wrote: ours is the longer one, so it is written anew.
    if (ownUntilMs > Math.max(untilMs, nowMs) + CLOCK_SLACK_MS) this.#write(nowMs, ownUntilMs);
    return false;
  }

  /** For the others; undefined when it never was. */
  toValue(nowMs: number): TimedRegister | undefined {
    const held = this.#register.held;
    return held && { register: held.register, remainingMs: Math.max(Math.round(held.content - nowMs), 0) };
  }

  #write(nowMs: number, untilMs: number): void {
    this.#register.write(Math.max(Math.round(untilMs - nowMs), 1), untilMs);
  }
}

/** What all replicas share about one deployment, beside counters. */
export class DeploymentRegisters {
  readonly cooldown: SharedWait;
  readonly #quota: SharedRegister<{ readonly headers: QuotaHeaders; readonly atMs: number }>;

  constructor(replicaId: string) {
    this.cooldown = new SharedWait(replicaId);
    this.#quota = new SharedRegister(replicaId);
  }

  /** The provider's headers were read here. What makes no sense goes to nobody: others refuse a message that holds it. */
  noteHeaders(nowMs: number, headers: QuotaHeaders): void {
    const requests = headers.requests && acceptQuotaReading(headers.requests, nowMs);
    const tokens = headers.tokens && acceptQuotaReading(headers.tokens, nowMs);
    const first = requests ?? tokens;
    if (first === undefined) return;
    const accepted = { ...(requests && { requests }), ...(tokens && { tokens }) };
    this.#quota.write(Math.round(first.limit - first.remaining), { headers: accepted, atMs: nowMs });
  }

  /** Joins another replica's registers; true when the cooldown imposed here was taken back. */
  join(nowMs: number, values: RegisterValues, ownCooldownUntilMs: number, quota: Quota): boolean {
    const remote = values.quota;
    if (remote !== undefined && remote.ageMs <= MAX_HEADERS_AGE_MS) {
      const content = { headers: remote.headers, atMs: nowMs - remote.ageMs };
      if (this.#quota.join(remote.register, () => content)) {
        quota.readHeadersElsewhere(content.atMs, content.headers);
      }
    }
    return values.cooldown !== undefined && this.cooldown.join(nowMs, values.cooldown, ownCooldownUntilMs);
  }

  /** For the others. */
  toValue(nowMs: number): RegisterValues {
    const cooldown = this.cooldown.toValue(nowMs);
    const held = this.#quota.held;
    const ageMs = held === undefined ? 0 : Math.max(Math.round(nowMs - held.content.atMs), 0);
    return {
      ...(cooldown === undefined ? {} : { cooldown }),
      ...(held === undefined || ageMs > MAX_HEADERS_AGE_MS
        ? {}
        : { quota: { register: held.register, ageMs, headers: held.content.headers } }),
    };
  }
}
