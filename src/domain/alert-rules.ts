/** When an operator wants to be told. A threshold that is undefined raises nothing. */
export interface AlertRules {
  /** The figures are of this long. */
  readonly windowMs: number;
  /** Fewer attempts or requests than this raise nothing. */
  readonly minSampleCount: number;
  /** The least share of a model's attempts that succeed. */
  readonly minSuccessRatio: number | undefined;
  /** The longest mean time to the first token of a model. */
  readonly maxFirstTokenMs: number | undefined;
  /** The largest share of requests that end in an error. */
  readonly maxErrorRatio: number | undefined;
  /** The largest share of requests that another deployment than the first answers. */
  readonly maxFallbackRatio: number | undefined;
}
