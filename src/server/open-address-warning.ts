import type { Address } from "../config/config.ts";
import type { Logger } from "../domain/ports.ts";
import { isLoopbackHost } from "../lib/loopback.ts";
import { formatAddress } from "./edge/peer-address.ts";

/** Warns of each address that others than this machine can reach. */
export function warnOfOpenAddresses(addresses: readonly (Address | undefined)[], logger: Logger): void {
  for (const address of addresses) {
    if (address === undefined || isLoopbackHost(address.host)) continue;
    logger.warn("anyone who can reach this address can use it: it asks for no credentials", {
      address: formatAddress(address.host, address.port),
    });
  }
}
