/** Names of models as OpenAI clients write them. */

import type { Target } from "../domain/request.ts";

/** Asks for automatic choice. A model of the catalog cannot be asked for by this name here. */
export const AUTOMATIC_NAME = "auto";

/** Some clients route by a prefix such as this one; it may stand before every name. */
const PREFIX = "sluice/";

/**
 * Reads a name: the catalog's own first, then without the prefix. A name that is no
 * model's may be any other target's: a provider, group, pool, chain or alias. Whether
 * anything has it is the router's to say.
 */
export function readModelName(name: string, catalogNames: ReadonlySet<string>): Target {
  const isPrefixed = name.startsWith(PREFIX) && !catalogNames.has(name);
  const plain = isPrefixed ? name.slice(PREFIX.length) : name;
  if (plain === "" || plain === AUTOMATIC_NAME) return { kind: "automatic" };
  return catalogNames.has(plain) ? { kind: "model", model: plain } : { kind: "named", name: plain };
}
