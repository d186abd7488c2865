/** Colours for terminals that want them. */

import { styleText } from "node:util";
import type { Output, Terminal } from "./terminal.ts";

/** What a piece of text is, not how it looks. */
export type Emphasis = "plain" | "heading" | "good" | "doubtful" | "bad" | "quiet";

/** Adds the escape codes for an emphasis, or nothing. */
export type Paint = (emphasis: Emphasis, text: string) => string;

const STYLES = {
  heading: "bold",
  good: "green",
  doubtful: "yellow",
  bad: "red",
  quiet: "dim",
} as const;

/** Leaves the text as it is. */
export const paintNothing: Paint = (_emphasis, text) => text;

/**
 * Chooses whether to colour: never when the output is not a terminal, NO_COLOR is
 * set and not empty (no-color.org), TERM is `dumb`, or the user said so.
 */
export function choosePaint(output: Output, env: Terminal["env"], isRefused: boolean): Paint {
  const isWanted = output.isTty && !isRefused && !env.NO_COLOR && env.TERM !== "dumb";
  if (!isWanted) return paintNothing;
  return (emphasis, text) =>
    emphasis === "plain" ? text : styleText(STYLES[emphasis], text, { validateStream: false });
}
