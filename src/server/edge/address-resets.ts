import type { ServerLimits } from "../../config/server-limits.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { groupAddress } from "./connection-caps.ts";

/** Addresses that are remembered; the one that was quiet for longest is forgotten first. */
const MAX_ADDRESS_COUNT = 10_000;

/**
 * Counts cancelled streams of all connections from one address together: who only connects
 * anew gets no new allowance (rapid reset, CVE-2023-44487).
 */
export class AddressResets {
  readonly #limits: Pick<ServerLimits, "addressResetBurstCount" | "addressResetsPerSecond">;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limits: Pick<ServerLimits, "addressResetBurstCount" | "addressResetsPerSecond">) {
    this.#limits = limits;
  }

  /** Counts one. False when the address has cancelled more than it may. */
  take(address: string | undefined, nowMs: number): boolean {
    const group = groupAddress(address);
    const { addressResetBurstCount, addressResetsPerSecond } = this.#limits;
    const bucket =
      this.#buckets.get(group) ?? new TokenBucket(addressResetBurstCount, addressResetsPerSecond, nowMs);
    // Set anew, so that the map's order is that of the last use.
    this.#buckets.delete(group);
    this.#buckets.set(group, bucket);
    if (this.#buckets.size > MAX_ADDRESS_COUNT) {
      const [oldest = ""] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return bucket.take(nowMs);
  }
}
