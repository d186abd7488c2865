import type { ServerConfig } from "../../config/config.ts";
import { isLoopbackHost } from "../../lib/loopback.ts";
import type { HttpRefusal } from "./inspect-request.ts";

/** What a guard rests on. */
export interface SiteGuardParts {
  readonly config: Pick<ServerConfig, "allowedHosts" | "tls">;
  /** The host that the port is bound to. */
  readonly boundHost: string;
  /** Whether callers prove who they are, so that being on this machine is worth nothing by itself. */
  readonly asksCredentials: boolean;
  /** Pages that may call. */
  readonly corsOrigins: readonly string[];
}

/**
 * Keeps web pages away from a port that asks for no credentials. A browser carries any page's requests
 * to this machine, and a page that points its own name at this machine (DNS rebinding) even reads the
 * answers. It cannot change two things: the `Origin` that browsers write on all but plain GETs (Fetch
 * standard 3.2), and its own name as the host.
 */
export class SiteGuard {
  /** Undefined takes any name. */
  readonly #isNamed: ((host: string) => boolean) | undefined;
  readonly #origins: ReadonlySet<string> | undefined;

  constructor({ config, boundHost, asksCredentials, corsOrigins }: SiteGuardParts) {
    const { allowedHosts, tls } = config;
    if (allowedHosts !== undefined) {
      const names = new Set(allowedHosts.map((name) => name.toLowerCase()));
      this.#isNamed = (host) => names.has(host);
    } else if (!asksCredentials && tls === undefined && isLoopbackHost(boundHost)) {
      this.#isNamed = isLoopbackHost;
    }
    // Else any: with TLS a foreign name fails at the certificate; on a wider address the right ones are unknown.
    this.#origins = asksCredentials ? undefined : new Set(corsOrigins);
  }

  /** Why a request may not go on, or undefined when it may. `authority` is valid. */
  findRefusal(authority: string, origin: string | undefined): HttpRefusal | undefined {
    if (this.#isNamed?.(readHost(authority)) === false) {
      return {
        status: 403,
        message: "this server is not called by that host name: see server.allowed_hosts",
      };
    }
    if (origin !== undefined && this.#origins?.has(origin) === false) {
      return { status: 403, message: "pages of this origin may not call: see cors.origins" };
    }
    return undefined;
  }
}

/** The host of an authority in lower case, without port, brackets and the dot of the root. */
function readHost(authority: string): string {
  const host = authority.startsWith("[")
    ? authority.slice(1, authority.indexOf("]"))
    : (authority.split(":", 1)[0] ?? "");
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  return name.toLowerCase();
}
