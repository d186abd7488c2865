/** The text of a keys file: JSON, version 1. */

import { SCOPES, type Scope } from "../domain/caller.ts";
import { isRecord } from "../lib/is-record.ts";
import { isKeyId } from "./api-key.ts";
import { isKeyName, KEY_NAME_RIGHT, type KeyRecord } from "./key-record.ts";

/** Every key of a file, or the first thing that is wrong with it. `problem` never repeats what the file holds. */
export type KeyFileText =
  | { readonly ok: true; readonly keys: readonly KeyRecord[] }
  | { readonly ok: false; readonly problem: string };

const VERSION = 1;
const HASH_FORM = /^[0-9a-f]{64}$/;
const TIME_FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;
const FIELDS = ["id", "name", "scopes", "secret_sha256", "created_at", "expires_at", "revoked_at"];

/** Writes a keys file. Reading it back gives the same keys. */
export function formatKeyFile(keys: readonly KeyRecord[]): string {
  const entries = keys.map((key) => ({
    id: key.id,
    name: key.name,
    scopes: key.scopes,
    secret_sha256: Buffer.from(key.secretHash).toString("hex"),
    created_at: formatTime(key.createdMs),
    ...(key.expiresMs === undefined ? {} : { expires_at: formatTime(key.expiresMs) }),
    ...(key.revokedMs === undefined ? {} : { revoked_at: formatTime(key.revokedMs) }),
  }));
  return `${JSON.stringify({ version: VERSION, keys: entries }, null, 2)}\n`;
}

/**
 * Reads a keys file, whole or not at all: a file with one bad entry gives no keys, since
 * leaving that entry out could undo a revocation. An unknown field is a problem too: it
 * may be a limit that this version does not know to keep.
 */
export function parseKeyFile(text: string): KeyFileText {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return refuse("is not JSON");
  }
  if (!isRecord(root)) return refuse("must hold a JSON object");
  const unknownField = Object.keys(root).find((field) => field !== "version" && field !== "keys");
  if (unknownField !== undefined) return refuse("has a field beside version and keys");
  if (root.version !== VERSION) return refuse(`must have version ${VERSION}`);
  if (!Array.isArray(root.keys)) return refuse("must have a list named keys");
  const keys: KeyRecord[] = [];
  const ids = new Set<string>();
  for (const [index, entry] of root.keys.entries()) {
    const read = readEntry(entry);
    if (typeof read === "string") return refuse(`keys[${index}]${read}`);
    if (ids.has(read.id)) return refuse(`keys[${index}].id is the id of an earlier key`);
    ids.add(read.id);
    keys.push(read);
  }
  return { ok: true, keys };
}

/** A key, or what is wrong with it, beginning with the path of the field. */
function readEntry(entry: unknown): KeyRecord | string {
  if (!isRecord(entry)) return " must be an object";
  if (Object.keys(entry).some((field) => !FIELDS.includes(field))) {
    return ` has a field that is none of ${FIELDS.join(", ")}`;
  }
  const { id, name, scopes, secret_sha256: secretHash } = entry;
  if (typeof id !== "string" || !isKeyId(id)) return ".id must be 11 letters and digits";
  if (typeof name !== "string" || !isKeyName(name)) return `.name must be ${KEY_NAME_RIGHT}`;
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isScope)) {
    return `.scopes must be a list of one or more of ${SCOPES.join(", ")}`;
  }
  if (typeof secretHash !== "string" || !HASH_FORM.test(secretHash)) {
    return ".secret_sha256 must be 64 hexadecimal digits in small letters";
  }
  const times = [entry.created_at, entry.expires_at, entry.revoked_at].map(readTime);
  const [createdMs, expiresMs, revokedMs] = times;
  if (createdMs === undefined || times.some(Number.isNaN)) {
    return " must have created_at, and may have expires_at and revoked_at, such as 2030-01-31T00:00:00Z";
  }
  return { id, name, scopes, secretHash: Buffer.from(secretHash, "hex"), createdMs, expiresMs, revokedMs };
}

/** Whether a value is a word for a scope. */
export function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}

/** Undefined stays undefined; what is no time is NaN. */
function readTime(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" && TIME_FORM.test(value) ? Date.parse(value) : Number.NaN;
}

function formatTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function refuse(problem: string): KeyFileText {
  return { ok: false, problem };
}
