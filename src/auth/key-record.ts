/** What is known of one API key. */

import type { Scope } from "../domain/caller.ts";

/** One key of the keys file. Nothing in it opens anything. */
export interface KeyRecord {
  readonly id: string;
  /** The tenant that holds it. Several keys may have the same name, so that one can replace another. */
  readonly name: string;
  /** Never empty. */
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret's text, 32 bytes. */
  readonly secretHash: Uint8Array;
  /** Wall time, milliseconds since the Unix epoch. */
  readonly createdMs: number;
  /** Wall time from which on it is refused; undefined means never. */
  readonly expiresMs: number | undefined;
  /** Wall time at which it was revoked; undefined means it was not. */
  readonly revokedMs: number | undefined;
}

/** Whether a key opens anything at a moment. */
export type KeyState = "active" | "expired" | "revoked";

/** The state of a key at `wallMs`. */
export function stateOfKey(key: KeyRecord, wallMs: number): KeyState {
  if (key.revokedMs !== undefined) return "revoked";
  return key.expiresMs !== undefined && wallMs >= key.expiresMs ? "expired" : "active";
}

const NAME_FORM = /^[A-Za-z0-9][A-Za-z0-9_.@/-]{0,63}$/;

/** What a name must be, for people. */
export const KEY_NAME_RIGHT = "1 to 64 letters, digits and `_.@/-`, beginning with a letter or digit";

/** Whether a text can be a tenant's name: short and without anything that a log or a terminal would take amiss. */
export function isKeyName(text: string): boolean {
  return NAME_FORM.test(text);
}
