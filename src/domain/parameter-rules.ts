/** Which parameters of a request a deployment takes. */

/** Both ends belong to it. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

/**
 * What may be told to a deployment beside the messages. What cannot be told without
 * changing the meaning (`maxStopSequences`, `forcedToolCalls`, `imageUrls`) keeps requests away from
 * it; the rest is cut or left out and reported to the caller.
 */
export interface ParameterRules {
  /** Undefined: it takes none but its own. */
  readonly temperature: NumberRange | undefined;
  /** Temperatures are rounded to so many decimals; undefined: they go as they are. */
  readonly temperatureDecimalCount?: number;
  /** Undefined: it takes none but its own. */
  readonly topP: NumberRange | undefined;
  /** Whether it takes both in one request. */
  readonly temperatureWithTopP: boolean;
  /** 0 or more. */
  readonly maxStopSequences: number;
  /** Whether a call of some tool, or of a named one, can be demanded. */
  readonly forcedToolCalls: boolean;
  /** Whether images may be given by address. */
  readonly imageUrls: boolean;
  /** Whether it can be told how closely to look at an image. */
  readonly imageDetail: boolean;
  /** Whether speakers of one role can be told apart by name. */
  readonly speakerNames: boolean;
  /** Whether it keeps to a form of the answer by force; else it is asked for it in words. */
  readonly formatEnforced: boolean;
  /** Whether it demands a limit on the answer's length: where nobody says one, it gets the most that has room. */
  readonly outputLimitNeeded: boolean;
  /** Whether it can be told to think first or not to. */
  readonly thinking: boolean;
  /** Whether it may think where tools are at hand: some then want their thoughts back, which are not kept. */
  readonly thinkingWithTools: boolean;
}

/** What servers take that keep to OpenAI's contract. */
export const ALL_PARAMETERS: ParameterRules = {
  temperature: { min: 0, max: 2 },
  topP: { min: 0, max: 1 },
  temperatureWithTopP: true,
  maxStopSequences: 4,
  forcedToolCalls: true,
  imageUrls: true,
  imageDetail: true,
  speakerNames: true,
  formatEnforced: true,
  outputLimitNeeded: false,
  // Each maker has a word of its own for it, or none.
  thinking: false,
  thinkingWithTools: true,
};
