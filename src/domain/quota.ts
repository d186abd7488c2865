/** What providers' answers say of their limits. */

/** What a provider's rate-limit headers say of one limit, in our units, as they came. */
export interface QuotaReading {
  readonly limit: number;
  readonly remaining: number;
  /** Until it is full again. */
  readonly resetMs: number;
}

/** What a provider's headers say; absent members were not sent. */
export interface QuotaHeaders {
  readonly requests?: QuotaReading;
  readonly tokens?: QuotaReading;
}
