/** The time limits of the matrix: short, so that it ends today, but longer than the tail a whole answer is given. */
export const LIMITS = {
  connectMs: 1_000,
  firstTokenMs: 2_500,
  idleMs: 2_500,
  totalMs: 5_000,
  /** The caller's deadline in cells where it comes first. */
  shortDeadlineMs: 400,
  /** The caller's deadline everywhere else. */
  longDeadlineMs: 20_000,
} as const;
