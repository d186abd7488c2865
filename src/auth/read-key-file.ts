import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type KeyFileText, parseKeyFile } from "./key-file.ts";

/** Thousands of keys fit; what is larger is another file. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** A keys file as it was found. */
export type ReadKeyFile = KeyFileText & {
  /** Changes whenever the file does, and when it is replaced by another; undefined when there is none. */
  readonly signature: string | undefined;
};

/**
 * Reads a keys file. Never rejects: what is wrong with the file or the system is the
 * `problem`, without anything of the content.
 */
export async function readKeyFile(path: string): Promise<ReadKeyFile> {
  let signature: string | undefined;
  try {
    // Not to wait where it is a pipe: nobody may ever write to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat({ bigint: true });
    signature = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
    if (!stat.isFile()) return { ok: false, problem: "is not a file", signature };
    if (stat.size > MAX_FILE_BYTES) {
      return { ok: false, problem: `is larger than ${MAX_FILE_BYTES} bytes`, signature };
    }
    // Whoever can write the file can let anybody in.
    if ((stat.mode & 0o022n) !== 0n) {
      const problem = "may be written by others than its owner; chmod 600 mends it";
      return { ok: false, problem, signature };
    }
    return { ...parseKeyFile(await file.readFile("utf8")), signature };
  } catch (error) {
    return { ok: false, problem: describeFailure(error), signature };
  }
}

/** The system's messages repeat the path, which the log line has anyway. */
function describeFailure(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") return "is not there";
  if (code === "EACCES" || code === "EPERM") return "may not be read by this user";
  if (code === "EISDIR") return "is not a file";
  return code === "" ? "cannot be read" : `cannot be read (${code})`;
}
