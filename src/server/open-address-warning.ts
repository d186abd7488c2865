import type { Address } from "../config/config.ts";
import type { Logger } from "../domain/ports.ts";
import { formatAddress } from "./edge/peer-address.ts";

/** Warns of each address that others than this machine can reach. */
export function warnOfOpenAddresses(addresses: readonly (Address | undefined)[], logger: Logger): void {
  for (const address of addresses) {
    if (address === undefined || isLoopback(address.host)) continue;
    logger.warn("anyone who can reach this address can use it: it asks for no credentials", {
      address: formatAddress(address.host, address.port),
    });
  }
}

/** 127.0.0.0/8 (RFC 1122 3.2.1.3), ::1 (RFC 4291 2.5.3) and the name for both (RFC 6761 6.3). */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(host);
}
