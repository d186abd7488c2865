import type { ProviderFailure } from "../../domain/outcome.ts";
import type { ProviderCall } from "../../domain/ports.ts";
import type { Priority } from "../../domain/request.ts";
import { encodeBody, encodeMembers } from "../openai/encode-request.ts";

/** Models that can think and can leave it; glm-5.3 cannot, and older ones do not think. */
const THINKING_MODEL = /^glm-(?:4\.[5-9]|5(?!\.3))/;

/** Whether to think, where neither the catalog nor the operator says: it can be most of a short answer's cost. */
const THINKING: Readonly<Record<Priority, "enabled" | "disabled" | undefined>> = {
  speed: "disabled",
  cost: "disabled",
  quality: "enabled",
  balanced: undefined,
};

/**
 * Encodes a request for Zhipu (bigmodel.cn and Z.ai). `request_id` is the attempt's,
 * since one that is in use is refused (1231).
 */
export function encodeRequest(call: ProviderCall): string {
  const { tools, toolChoice, priority } = call.request;
  const { tool_choice, ...members } = encodeMembers(call);
  const thinking = THINKING_MODEL.test(call.deployment.upstreamModel) ? THINKING[priority] : undefined;
  return encodeBody(call, {
    ...members,
    // Only `auto` is known: no tools are none to choose.
    tools: toolChoice?.kind === "none" ? undefined : members.tools,
    tool_choice: tools.length > 0 && toolChoice?.kind === "auto" ? tool_choice : undefined,
    thinking: thinking && { type: thinking },
    request_id: call.attemptId,
  });
}

/** Why a request cannot be told to Zhipu at all, or undefined when it can. */
export function refuseRequest({ request }: ProviderCall): ProviderFailure | undefined {
  const choice = request.toolChoice?.kind;
  if (choice === "required" || choice === "tool") return refuse("tool_choice_not_supported");
  if (request.responseFormat?.kind === "json_schema") return refuse("json_schema_not_supported");
  if ((request.sampling.stopSequences?.length ?? 0) > 1) return refuse("one_stop_sequence_at_most");
  return undefined;
}

function refuse(providerCode: string): ProviderFailure {
  return { class: "invalid_request", providerCode };
}
