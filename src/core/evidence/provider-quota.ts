import type { QuotaReading } from "../../domain/quota.ts";

export type { QuotaReading };

/** A reading that makes sense, with when it came. */
export interface QuotaRegister extends QuotaReading {
  readonly atMs: number;
}

/** Limits above this are nonsense, or none. */
export const MAX_LIMIT = 1e12;
const MAX_RESET_MS = 86_400_000;

/**
 * Takes a reading that makes sense; undefined for any other: limits of 0 or less
 * (some providers send −1 for "none"), more remaining than the limit, negative or
 * absurd figures. A reset time that makes no sense is taken as one minute.
 */
export function acceptQuotaReading(reading: QuotaReading, nowMs: number): QuotaRegister | undefined {
  const { limit, remaining, resetMs } = reading;
  if (!(limit > 0 && limit <= MAX_LIMIT) || !(remaining >= 0 && remaining <= limit)) return undefined;
  if (!Number.isFinite(nowMs)) return undefined;
  const plausible = resetMs >= 0 && resetMs <= MAX_RESET_MS;
  return { limit, remaining, resetMs: plausible ? resetMs : 60_000, atMs: nowMs };
}

/** The share of the limit that is left, 0 to 1: what remained, filling evenly until the reset. */
export function estimateQuotaRatio(register: QuotaRegister, nowMs: number): number {
  const elapsedMs = nowMs - register.atMs;
  if (!(elapsedMs < register.resetMs)) return 1;
  const remaining = register.remaining / register.limit;
  return remaining + (1 - remaining) * Math.max(elapsedMs / register.resetMs, 0);
}
