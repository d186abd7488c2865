/** A registered name, an IPv4 address or a bracketed IPv6 address, and a port (RFC 3986 3.2, without user information). */
const AUTHORITY = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** A DNS name has at most 253 characters; a port adds six. */
const MAX_AUTHORITY_CHARACTERS = 259;

/**
 * Whether an `:authority` or `Host` may go on. Strict, because URL parsers behind
 * the edge throw on what they cannot read: a caller must not be able to cause that.
 */
export function isValidAuthority(authority: string): boolean {
  return (
    authority.length <= MAX_AUTHORITY_CHARACTERS &&
    AUTHORITY.test(authority) &&
    URL.canParse(`http://${authority}/`)
  );
}
