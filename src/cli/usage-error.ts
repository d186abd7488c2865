/**
 * The command line is wrong. Thrown by whoever finds out and caught once, in
 * run-command-line.ts: it ends the program, nothing can go on after it.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
