/** Finds the text of the prompt: on the command line or on standard input. */

import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What the server takes by default is 16 MiB for a whole request; more than that is a mistake. */
const MAX_PROMPT_BYTES = 16 * 1024 * 1024;

/** The operands joined with spaces; standard input when there are none, or one that is `-`. Throws UsageError. */
export async function readPrompt(operands: readonly string[], terminal: Terminal): Promise<string> {
  const isFromStdin = operands.length === 0 || (operands.length === 1 && operands[0] === "-");
  const text = isFromStdin ? await readStdin(terminal) : operands.join(" ");
  if (text.trim() === "") throw new UsageError("The prompt is empty. Give text, or pipe some in.");
  return text;
}

async function readStdin({ stdin, stderr }: Terminal): Promise<string> {
  if (stdin.isTty) await stderr.write("Type the prompt; end it with Ctrl-D on a line of its own.\n");
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdin) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_PROMPT_BYTES) {
      throw new UsageError(`Standard input has more than ${MAX_PROMPT_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new UsageError("Standard input is not UTF-8 text.");
  }
}
