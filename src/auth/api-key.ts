/** The form of an API key, `sluice_<id>_<secret>`, and what is kept of it. */

import { hash, randomBytes } from "node:crypto";

/** 64 bits: enough that ids never meet. */
const ID_BYTES = 8;
const ID_LENGTH = 11;
/** 256 bits: enough that nobody guesses one, with or without the hash. */
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEY_FORM = new RegExp(`^sluice_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})$`);
const ID_FORM = new RegExp(`^[0-9A-Za-z]{${ID_LENGTH}}$`);

/** The two parts of a key's text. */
export interface ApiKeyParts {
  /** Names the key in files, logs and commands. Not secret. */
  readonly id: string;
  /** 43 letters and digits. Never stored or logged. */
  readonly secret: string;
}

/** Draws a new key: 64 bits of id, 256 bits of secret, from the operating system's generator. */
export function drawApiKey(): ApiKeyParts {
  return {
    id: encodeBase62(randomBytes(ID_BYTES), ID_LENGTH),
    secret: encodeBase62(randomBytes(SECRET_BYTES), SECRET_LENGTH),
  };
}

/** The text that callers send. Letters, digits and `_` only, so that a double click marks all of it. */
export function formatApiKey({ id, secret }: ApiKeyParts): string {
  return `sluice_${id}_${secret}`;
}

/** Takes a key's text apart; undefined for everything that has not exactly the form of one. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  const [, id, secret] = KEY_FORM.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Whether a text has the form of a key's id. */
export function isKeyId(text: string): boolean {
  return ID_FORM.test(text);
}

/**
 * What is stored of a secret: SHA-256 of its text. Slow hashes such as Argon2 protect
 * secrets that people choose; nobody can try 2^256 random ones however fast the hash is.
 * The text is hashed, not the bits it stands for, so that no second text has the same hash.
 */
export function hashSecret(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/** Big-endian, filled up with `0` to a fixed length. */
function encodeBase62(bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  while (rest > 0n) {
    text = `${DIGITS[Number(rest % 62n)]}${text}`;
    rest /= 62n;
  }
  return text.padStart(length, "0");
}
