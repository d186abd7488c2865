import type { Config } from "./config.ts";
import { isLoopbackHost } from "./values/address.ts";

/** What the operator should know of who may call. Sentences without secrets. */
export function listAccessNotices({ auth, server }: Pick<Config, "auth" | "server">): string[] {
  if (auth?.keysFile === undefined || server.tls !== undefined) return [];
  if (isLoopbackHost(server.address.host)) return [];
  return [
    "INSECURE: callers send their keys unencrypted to server.address; anyone on the way can read them. Set server.tls, or put something before Sluice that encrypts.",
  ];
}
