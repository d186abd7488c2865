const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

/** Why the system could not do something with a file, in words; anything that is no system error is thrown on. */
export function describeSystemError(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return MEANINGS[error.code] ?? error.code;
  }
  throw error;
}
