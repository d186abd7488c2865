/** How much room a run leaves its router. */
export interface Regime {
  readonly name: "roomy" | "tight";
  readonly replicaCount: number;
  readonly maxAttempts: number;
  /** From arrival to the end. */
  readonly timeoutMs: number;
  /** The part of the declared quotas that there is; routers are told it. */
  readonly quotaRatio: number;
}

/** The most time to a first token, for everybody. */
export const FIRST_TOKEN_TIMEOUT_MS = 10_000;

export const REGIMES = {
  roomy: { name: "roomy", replicaCount: 4, maxAttempts: 3, timeoutMs: 60_000, quotaRatio: 1 },
  tight: { name: "tight", replicaCount: 8, maxAttempts: 2, timeoutMs: 25_000, quotaRatio: 0.6 },
} as const satisfies Record<string, Regime>;
