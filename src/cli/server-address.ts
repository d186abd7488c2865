/** Where the server is, from `--server`, `SLUICE_SERVER` or the default. */

import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

/** A server to call. */
export interface ServerAddress {
  /** `host:port`, IPv6 in brackets. */
  readonly authority: string;
  /** Whether a URL with `https://` was given. */
  readonly isTlsImplied: boolean;
  /** Whether it is this machine. */
  readonly isLoopback: boolean;
}

/** Where `sluice serve` listens when nobody says otherwise. */
export const DEFAULT_SERVER = "127.0.0.1:50051";

/** Where it serves operators. */
export const DEFAULT_ADMIN_SERVER = "127.0.0.1:9464";

const ADDRESS =
  /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?):(\d{1,5})\/?$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

/** Reads an address; `source` names where it came from. Throws UsageError. */
export function parseServerAddress(text: string, source: string): ServerAddress {
  const [, scheme, host, port] = ADDRESS.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(
      `${source} "${printable(text)}" is no address. Write HOST:PORT, for example 127.0.0.1:50051 or [::1]:50051.`,
    );
  }
  return {
    authority: `${host}:${Number(port)}`,
    isTlsImplied: scheme === "https",
    isLoopback: LOOPBACK.test(host),
  };
}
