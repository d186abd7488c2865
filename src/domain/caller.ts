/** Who calls, where callers must say who they are. */

/** What a caller may be allowed to do. Words of the keys file and the configuration: fixed for ever. */
export const SCOPES = ["generate", "models.read", "metrics", "usage.read", "admin"] as const;

/** One thing a caller may be allowed to do. No scope includes another. */
export type Scope = (typeof SCOPES)[number];

/** A caller whose credential was checked. Nothing in it is secret. */
export interface Caller {
  /** The tenant: what the operator called whoever holds the credential. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Which credential it was: `key:<id>` of an API key, or the name in a certificate (`URI:…`, `DNS:…`). */
  readonly credential: string;
}
