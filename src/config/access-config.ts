/** Who may call and from where, as the operator configured it. */

import type { Scope } from "../domain/caller.ts";

/** `auth` of the file: callers must say who they are. */
export interface AuthConfig {
  /** Absolute path of the keys file; undefined means that nobody has a key. */
  readonly keysFile: string | undefined;
  /** Callers by a name in their client certificate. */
  readonly certificateIdentities: readonly {
    /** `URI:spiffe://example.org/chat` or `DNS:chat.example.org`. */
    readonly subjectName: string;
    /** The tenant. */
    readonly name: string;
    /** Never empty. */
    readonly scopes: readonly Scope[];
  }[];
  /** Whether reflection needs no credential. */
  readonly isReflectionOpen: boolean;
  /** Whether the page `/metrics` needs no credential. */
  readonly isMetricsPageOpen: boolean;
}

/** `cors` of the file: which web pages may call from a browser. */
export interface CorsConfig {
  /** Origins (RFC 6454) such as `https://app.example.org`; empty means none. */
  readonly origins: readonly string[];
}

/** `images` of the file: what becomes of pictures in requests. */
export interface ImagesConfig {
  /** `pass` hands addresses to the provider, `refuse` refuses them. Sluice fetches none either way. */
  readonly urls: "pass" | "refuse";
}
