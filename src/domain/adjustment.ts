/** What went to a provider otherwise than the caller asked. */

/** Why; the meaning of each is stated at `AdjustmentReason` in generation.proto. */
export type AdjustmentReason =
  | "out_of_range"
  | "not_supported"
  | "context_window"
  | "operator_setting"
  | "requirement_relaxed"
  | "larger_model";

/** One part of a request that the answering attempt did not carry as asked. */
export interface Adjustment {
  /** The field of `GenerationSpec`, for example `sampling.temperature`. */
  readonly field: string;
  /** What was asked, in short. */
  readonly asked: string;
  /** What was used instead; empty where it was left out. */
  readonly used: string;
  readonly reason: AdjustmentReason;
}
