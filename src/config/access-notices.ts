import { isLoopbackHost } from "../lib/loopback.ts";
import type { Config } from "./config.ts";

/** What the operator should know of who may call. Sentences without secrets. */
export function listAccessNotices({ auth, server }: Pick<Config, "auth" | "server">): string[] {
  if (auth?.keysFile === undefined) return [];
  const notices: string[] = [];
  if (server.tls === undefined && !isLoopbackHost(server.address.host)) {
    notices.push(
      "INSECURE: callers send their keys unencrypted to server.address; anyone on the way can read them. Set server.tls, or put something before Sluice that encrypts.",
    );
  }
  const { adminAddress } = server;
  if (!server.adminTls && adminAddress !== undefined && !isLoopbackHost(adminAddress.host)) {
    notices.push(
      "INSECURE: operators send their keys unencrypted to server.admin_address; anyone on the way can read them. Set server.tls and server.admin_tls, or keep the address on loopback.",
    );
  }
  return notices;
}
