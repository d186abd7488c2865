/** What an `authorization` header may hold: one bearer credential (RFC 6750 2.1, RFC 9110 11.6.2). */
export type Bearer =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  /** Another scheme, or none at all. */
  | { readonly kind: "unusable" };

/** No credential of ours is longer, and longer ones need not be looked at. */
const MAX_TOKEN_CHARACTERS = 256;

/** Reads the header. The scheme's case does not matter; the token's does. */
export function readBearer(authorization: string | undefined): Bearer {
  if (authorization === undefined) return { kind: "none" };
  const [, token] = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization) ?? [];
  if (token === undefined || token.length > MAX_TOKEN_CHARACTERS) return { kind: "unusable" };
  return { kind: "token", token };
}
