import { isIPv4, isIPv6 } from "node:net";

import type { Address } from "../config.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** What a right address would be, in words. */
export const ADDRESS_RIGHT =
  "host:port, for example 127.0.0.1:50051, 0.0.0.0:50051 (all IPv4) or [::1]:50051";

/** Reads `host:port`; an IPv6 address stands in brackets (RFC 3986, 3.2.2) and comes back without them. */
export function parseAddress(text: string): Parsed<Address> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) {
    if (isIPv6(text) || /^[^[]*:.*:\d+$/.test(text)) {
      return refuse("has an IPv6 address without brackets or port", ADDRESS_RIGHT);
    }
    return refuse("is not an address with a port", ADDRESS_RIGHT);
  }
  const [, bracketed, plain, portText] = match;
  const port = Number(portText);
  if (port > 65_535) return refuse("has a port above 65535", ADDRESS_RIGHT);
  if (bracketed !== undefined) {
    return isIPv6(bracketed)
      ? readAs({ host: bracketed, port })
      : refuse("has brackets around what is no IPv6 address", ADDRESS_RIGHT);
  }
  if (plain === undefined || plain === "") return refuse("has no host", ADDRESS_RIGHT);
  // Four numbers with dots are meant as an IPv4 address, never as a name.
  const isHost = /^[\d.]+$/.test(plain) ? isIPv4(plain) : HOST_NAME.test(plain);
  return isHost ? readAs({ host: plain, port }) : refuse("has a host that cannot be", ADDRESS_RIGHT);
}
