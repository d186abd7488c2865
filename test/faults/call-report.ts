/** What a caller got, from whichever door. */
export interface CallReport {
  /** How often the caller was told an end; exactly 1 is right. */
  readonly endCount: number;
  /** `OK` or the gRPC code; the OpenAI door's is the code of its reason. */
  readonly code: string;
  readonly reason: string | undefined;
  /** Of the OpenAI door. */
  readonly httpStatus: number | undefined;
  /** Outcome and provider's status of each attempt, where the door tells them. */
  readonly attempts: readonly string[] | undefined;
  /** The text that was delivered. */
  readonly text: string;
  /** Broken promises of the door, in words. */
  readonly problems: readonly string[];
  /** From the request to the end. */
  readonly durationMs: number;
  /** Every byte the caller was given, head and trailers too. */
  readonly given: string;
}
