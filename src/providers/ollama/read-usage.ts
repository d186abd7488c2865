import type { Usage } from "../../domain/usage.ts";
import { readCount } from "../http/usage-figures.ts";

/** Reads the counts of Ollama's last line. The prompt's is left out by the server when its cache had all of it. */
export function readUsage(line: Readonly<Record<string, unknown>>): Usage | undefined {
  const inputTokens = readCount(line.prompt_eval_count);
  const outputTokens = readCount(line.eval_count);
  if (!inputTokens && !outputTokens) return undefined;
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
  };
}
