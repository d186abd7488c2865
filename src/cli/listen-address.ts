import type { Address } from "../config/config.ts";
import { parseAddress } from "../config/values/address.ts";
import { printable } from "./printable-text.ts";
import { UsageError } from "./usage-error.ts";

/** An address to listen on; port 0 takes a free one. Throws UsageError that names the option. */
export function parseBindAddress(option: string, text: string): Address {
  const parsed = parseAddress(text);
  if (parsed.ok) return parsed.value;
  throw new UsageError(`--${option} "${printable(text)}" ${parsed.wrong}. Right would be ${parsed.right}.`);
}
