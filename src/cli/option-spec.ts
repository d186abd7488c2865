/** One `--flag`. */
export interface OptionSpec {
  readonly type: "boolean" | "string";
  /** What stands for the value in the help, for example `FILE`. Only for strings. */
  readonly placeholder?: string;
  /** Whether it may be given several times. */
  readonly multiple?: boolean;
  /** One letter that means the same. */
  readonly short?: string;
  /** One line for the help. */
  readonly description: string;
}

/** The options of a command by their names, without the dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
