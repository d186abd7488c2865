import { isIPv6 } from "node:net";

/** Why a connection is not taken. */
export type CapReached = "total" | "address";

/** Counts open connections, in total and per address. */
export class ConnectionCaps {
  readonly #maxCount: number;
  readonly #maxPerAddressCount: number;
  readonly #counts = new Map<string, number>();
  #count = 0;

  constructor(limits: {
    readonly maxConnectionCount: number;
    readonly maxConnectionsPerAddressCount: number;
  }) {
    this.#maxCount = limits.maxConnectionCount;
    this.#maxPerAddressCount = limits.maxConnectionsPerAddressCount;
  }

  /** Open connections that were taken. */
  get count(): number {
    return this.#count;
  }

  /** Takes a connection, or says which cap it would break. A taken one must be given back. */
  take(address: string | undefined): CapReached | undefined {
    const group = groupAddress(address);
    const count = this.#counts.get(group) ?? 0;
    if (this.#count >= this.#maxCount) return "total";
    if (count >= this.#maxPerAddressCount) return "address";
    this.#count++;
    this.#counts.set(group, count + 1);
    return undefined;
  }

  /** Gives a taken connection back; once each. */
  giveBack(address: string | undefined): void {
    const group = groupAddress(address);
    const count = (this.#counts.get(group) ?? 0) - 1;
    this.#count--;
    if (count > 0) this.#counts.set(group, count);
    else this.#counts.delete(group);
  }
}

/** Addresses that count as one: IPv4 by itself, however written; IPv6 by its first 64 bits (RFC 6177). */
export function groupAddress(address: string | undefined): string {
  if (address === undefined) return "unknown";
  const [bare = ""] = address.split("%");
  const mapped = /^::ffff:([0-9.]+)$/i.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(bare)) return bare;
  const [head = "", tail] = bare.split("::");
  const heads = head === "" ? [] : head.split(":");
  const tails = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(8 - heads.length - tails.length, 0);
  const groups = [...heads, ...Array<string>(zeros).fill("0"), ...tails];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
