import type { GenerationRequest } from "../../src/domain/request.ts";
import type { SimRequest } from "../world/workload.ts";

/** The router takes a Han character for about this many tokens, and a message for three. */
const TOKENS_PER_CHARACTER = 0.82;
const TOKENS_PER_MESSAGE = 3;
const CHARACTER = "文";
const PAPER = CHARACTER.repeat(20_000);

/** The request as a caller would send it: a prompt of the right length, its task and its priority. */
export function makeGenerationRequest({ promptTokens, priority }: SimRequest): GenerationRequest {
  const length = Math.max(Math.round((promptTokens - TOKENS_PER_MESSAGE) / TOKENS_PER_CHARACTER), 1);
  const text = length <= PAPER.length ? PAPER.slice(0, length) : CHARACTER.repeat(length);
  return {
    messages: [{ role: "user", parts: [{ kind: "text", text }] }],
    target: { kind: "automatic" },
    taskType: "text_generation",
    priority,
    requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
    sampling: {},
    tools: [],
  };
}
