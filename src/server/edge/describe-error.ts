/** What was thrown, with its stack, for our log; never for the wire. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
