import { timingSafeEqual } from "node:crypto";
import type { Caller } from "../domain/caller.ts";
import type { Clock } from "../domain/ports.ts";
import { hashSecret, parseApiKey } from "./api-key.ts";
import { type KeyRecord, stateOfKey } from "./key-record.ts";

/** What came of checking a key. `why` is for logs: the caller is told nothing of it. */
export type KeyCheck =
  | { readonly ok: true; readonly caller: Caller }
  | {
      readonly ok: false;
      readonly why: "malformed" | "unknown" | "wrong secret" | "expired" | "revoked";
      /** The id, where it is one that the store knows. */
      readonly keyId: string | undefined;
    };

/** Compared with where there is no such key, so that time does not tell which ids exist. */
const NO_HASH = Buffer.alloc(32);

/** The keys in force. */
export class KeyStore {
  readonly #clock: Clock;
  #keys: ReadonlyMap<string, KeyRecord> = new Map();

  constructor(clock: Clock, keys: readonly KeyRecord[]) {
    this.#clock = clock;
    this.replace(keys);
  }

  get keyCount(): number {
    return this.#keys.size;
  }

  /** Puts other keys in force, all at once. */
  replace(keys: readonly KeyRecord[]): void {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  /**
   * Checks the text of a key: looked up by id, compared in constant time, and only then
   * asked whether it has ended, so that nobody without the secret learns anything.
   */
  check(text: string): KeyCheck {
    const parts = parseApiKey(text);
    if (parts === undefined) return { ok: false, why: "malformed", keyId: undefined };
    const key = this.#keys.get(parts.id);
    const isEqual = timingSafeEqual(hashSecret(parts.secret), key?.secretHash ?? NO_HASH);
    if (key === undefined) return { ok: false, why: "unknown", keyId: undefined };
    if (!isEqual) return { ok: false, why: "wrong secret", keyId: key.id };
    const state = stateOfKey(key, this.#clock.wallMs());
    if (state !== "active") return { ok: false, why: state, keyId: key.id };
    return { ok: true, caller: { name: key.name, scopes: key.scopes, credential: `key:${key.id}` } };
  }
}
