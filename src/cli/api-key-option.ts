/** The API key that a command sends. */

import { readFile } from "node:fs/promises";
import { Secret } from "../lib/secret.ts";
import type { OptionSpecs } from "./option-spec.ts";
import type { Arguments } from "./parse-arguments.ts";
import { printable } from "./printable-text.ts";
import { describeSystemError } from "./system-error.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** There is no option for the key itself: command lines are seen by every user of a machine. */
export const API_KEY_OPTIONS: OptionSpecs = {
  "key-file": {
    type: "string",
    placeholder: "FILE",
    description: "send the API key in this file (default: the key in SLUICE_API_KEY)",
  },
};

/** Longer texts are no key. */
const MAX_KEY_CHARACTERS = 256;

/** Reads the key from `--key-file`, else from SLUICE_API_KEY; undefined where neither is given. Throws UsageError. */
export async function readApiKey(args: Arguments, env: Terminal["env"]): Promise<Secret | undefined> {
  const file = args.text("key-file");
  if (file === undefined) return takeKey(env.SLUICE_API_KEY, "SLUICE_API_KEY");
  const source = `--key-file "${printable(file)}"`;
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`${source} cannot be read: ${describeSystemError(error)}.`);
  }
  const key = takeKey(text, source);
  if (key === undefined) throw new UsageError(`${source} is empty.`);
  return key;
}

/** The message never repeats the text: it may be a key with a slip in it. */
function takeKey(text: string | undefined, source: string): Secret | undefined {
  const key = text?.trim() ?? "";
  if (key === "") return undefined;
  if (key.length > MAX_KEY_CHARACTERS || !/^[\x21-\x7e]+$/.test(key)) {
    throw new UsageError(`${source} holds no API key: one line of letters, digits and "_".`);
  }
  return new Secret(key);
}
