import type { AccessRule } from "./access-rule.ts";

const MODELS = "/v1/models";

/**
 * The rule of a path of the OpenAI door and of the admin pages, as the door itself will look at it: without the
 * query, nothing unescaped. Undefined, which is a refusal, for every other path.
 */
export function findPathRule(path: string): AccessRule | undefined {
  if (path === "/v1/chat/completions") return "generate";
  if (path === MODELS || path.startsWith(`${MODELS}/`)) return "models.read";
  if (path === "/metrics") return "metrics page";
  // Orchestrators have no credentials.
  if (path === "/livez" || path === "/readyz") return "open";
  return undefined;
}
