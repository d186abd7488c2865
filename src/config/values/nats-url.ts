import { Secret } from "../../lib/secret.ts";
import type { NatsCredentials, NatsServer } from "../nats-config.ts";
import { parseAddress } from "./address.ts";
import { type Parsed, readAs, refuse } from "./parsed.ts";

/** What a right URL of a NATS server would be, in words. */
export const NATS_URL_RIGHT =
  "nats://host:port or tls://host:port; port 4222 when left out; user:password@ or a token and @ before the host where the server wants one";

const DEFAULT_PORT = 4222;

/** Reads the URL of a NATS server. What stands before `@` becomes a secret; `%` escapes in it are resolved. */
export function parseNatsUrl(text: string): Parsed<NatsServer> {
  const match = /^(nats|tls):\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+)\/?$/.exec(text.trim());
  if (match === null) return refuse("is not the URL of a NATS server", NATS_URL_RIGHT);
  const [, scheme, userInfo, host = ""] = match;
  const address = parseAddress(/:\d+$/.test(host) && !isBareIpv6(host) ? host : `${host}:${DEFAULT_PORT}`);
  if (!address.ok) return refuse(address.wrong, NATS_URL_RIGHT);
  const credentials = readUserInfo(userInfo);
  if (!credentials.ok) return credentials;
  return readAs({ ...address.value, isTls: scheme === "tls", credentials: credentials.value });
}

/** Reads one URL or several with commas between them. */
export function parseNatsUrls(text: string): Parsed<readonly NatsServer[]> {
  const servers: NatsServer[] = [];
  for (const url of text.split(",")) {
    const parsed = parseNatsUrl(url);
    if (!parsed.ok) return refuse(parsed.wrong, `${parsed.right}; several with commas between them`);
    servers.push(parsed.value);
  }
  return readAs(servers);
}

function isBareIpv6(host: string): boolean {
  return !host.startsWith("[") && host.split(":").length > 2;
}

function readUserInfo(userInfo: string | undefined): Parsed<NatsCredentials | undefined> {
  if (userInfo === undefined || userInfo === "") return readAs(undefined);
  const [user = "", ...rest] = userInfo.split(":");
  try {
    if (rest.length === 0) {
      return readAs<NatsCredentials>({ kind: "token", token: new Secret(decodeURIComponent(user)) });
    }
    const password = new Secret(decodeURIComponent(rest.join(":")));
    return readAs<NatsCredentials>({ kind: "password", user: decodeURIComponent(user), password });
  } catch {
    return refuse("has a % before the host that escapes nothing", "%25 for a percent sign");
  }
}
