/** What a command of the program is made of. */

import type { OptionSpecs } from "./option-spec.ts";
import type { Arguments } from "./parse-arguments.ts";
import type { Terminal } from "./terminal.ts";

/** A command line to copy, and what it does. */
export interface Example {
  readonly command: string;
  readonly meaning: string;
}

/** What every command has. */
interface CommandBase {
  /** As typed, with those above it: `config validate`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly examples: readonly Example[];
}

/** A command that does something. */
export interface LeafCommand extends CommandBase {
  readonly kind: "leaf";
  /** What may follow beside options, for example `[text…]`; empty when nothing may. */
  readonly operands: string;
  /** The most operands. */
  readonly maxOperandCount: number;
  readonly options: OptionSpecs;
  /** Sentences below the usage line. */
  readonly description: string;
  /** Does it and says how it ended. May throw UsageError and OutputClosedError. */
  run(args: Arguments, terminal: Terminal): Promise<number>;
}

/** A command that only groups others. */
export interface CommandGroup extends CommandBase {
  readonly kind: "group";
  readonly commands: readonly LeafCommand[];
}

export type Command = LeafCommand | CommandGroup;
