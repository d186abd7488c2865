import { closeSync, openSync, readSync } from "node:fs";

/** What came of reading a file. */
export type FileText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | {
      readonly kind: "unreadable";
      /** Follows the file's name: `may not be read`. */
      readonly why: string;
    };

/** How the configuration reaches files, so that tests need none. */
export interface ConfigFiles {
  /** Reads a whole file as UTF-8 text. Never throws. */
  readText(path: string): FileText;
}

/** Larger files are not what was meant; it also ends the reading of devices. */
const MAX_FILE_BYTES = 4 * 1_024 * 1_024;

/** The machine's files. */
export const machineFiles: ConfigFiles = {
  readText(path) {
    try {
      return readBounded(path);
    } catch (error) {
      return describeFailure(error);
    }
  },
};

function readBounded(path: string): FileText {
  const file = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for (;;) {
      const chunk = Buffer.alloc(65_536);
      const readBytes = readSync(file, chunk);
      if (readBytes === 0) break;
      sizeBytes += readBytes;
      if (sizeBytes > MAX_FILE_BYTES) return { kind: "unreadable", why: "is larger than 4 MiB" };
      chunks.push(chunk.subarray(0, readBytes));
    }
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)) };
  } finally {
    closeSync(file);
  }
}

/** The system's messages repeat the path, and a path may be a key put in the wrong field: only codes pass. */
function describeFailure(error: unknown): FileText {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return { kind: "missing" };
    case "EACCES":
    case "EPERM":
      return { kind: "unreadable", why: "may not be read by this user" };
    case "EISDIR":
      return { kind: "unreadable", why: "is a folder" };
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return { kind: "unreadable", why: "is not UTF-8 text" };
    default:
      return { kind: "unreadable", why: code === "" ? "cannot be read" : `cannot be read (${code})` };
  }
}
