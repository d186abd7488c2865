import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { formatKeyFile } from "./key-file.ts";
import type { KeyRecord } from "./key-record.ts";
import { readKeyFile } from "./read-key-file.ts";

/** How a change of a keys file ended. `problem` is a sentence's end: it follows the file's name. */
export type KeyFileChange<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/** What a change makes of the keys: the new ones and what to tell, or why not. */
export type KeyEdit<T> =
  | { readonly keys: readonly KeyRecord[]; readonly value: T }
  | { readonly problem: string };

/**
 * Changes a keys file, or makes one where `edit` is given no keys. The new content
 * replaces the old at once (write, sync, rename), with mode 0600; a reader sees one or
 * the other. A lock file keeps a second change away, so that neither undoes the other.
 */
export async function changeKeyFile<T>(
  path: string,
  edit: (keys: readonly KeyRecord[]) => KeyEdit<T>,
): Promise<KeyFileChange<T>> {
  const lock = `${path}.lock`;
  try {
    await using _held = await open(lock, "wx", 0o600);
  } catch (error) {
    return { ok: false, problem: describeLock(error, lock) };
  }
  try {
    const current = await readKeyFile(path);
    const isNew = !current.ok && current.signature === undefined && current.problem === "is not there";
    if (!current.ok && !isNew) return current;
    const edited = edit(current.ok ? current.keys : []);
    if ("problem" in edited) return { ok: false, problem: edited.problem };
    await replaceFile(path, formatKeyFile(edited.keys));
    return { ok: true, value: edited.value };
  } catch (error) {
    return { ok: false, problem: `cannot be written (${readCode(error)})` };
  } finally {
    await rm(lock, { force: true });
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  {
    await using file = await open(fresh, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(fresh, path);
  // Without this a power cut could bring the old file, and a revoked key, back.
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}

function describeLock(error: unknown, lock: string): string {
  const code = readCode(error);
  if (code === "EEXIST") return `is being changed by another command; if none runs, delete ${lock}`;
  if (code === "ENOENT") return "is in a folder that is not there";
  return `cannot be written (${code})`;
}

/** Only the system's failures are values; anything else is a bug and goes on. */
function readCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}
