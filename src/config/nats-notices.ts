import { isLoopbackHost } from "../lib/loopback.ts";
import type { Config } from "./config.ts";

/** What the operator should know of the way to NATS. Sentences without secrets. */
export function listNatsNotices({ nats }: Pick<Config, "nats">): string[] {
  if (nats === undefined || nats.tls !== undefined) return [];
  const isInTheClear = nats.servers.some(({ host, isTls, credentials }) => {
    const shown = credentials ?? nats.credentials;
    const isSecretSent = shown?.kind === "password" || shown?.kind === "token";
    return isSecretSent && !isTls && !isLoopbackHost(host);
  });
  return isInTheClear
    ? [
        "INSECURE: the password or token for NATS may go unencrypted to another machine; anyone on the way can read it. Set nats.tls, or use tls:// URLs, or an nkey.",
      ]
    : [];
}
