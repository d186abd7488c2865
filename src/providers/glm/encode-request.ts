import type { ProviderFailure } from "../../domain/outcome.ts";
import type { ProviderCall } from "../../domain/ports.ts";
import { encodeBody, encodeMembers } from "../openai/encode-request.ts";

/**
 * Encodes a request for Zhipu (bigmodel.cn and Z.ai). `request_id` is the attempt's,
 * since one that is in use is refused (1231).
 */
export function encodeRequest(call: ProviderCall): string {
  const { tools, toolChoice, thinking } = call.request;
  const { tool_choice, ...members } = encodeMembers(call);
  return encodeBody(call, {
    ...members,
    // Only `auto` is known: no tools are none to choose.
    tools: toolChoice?.kind === "none" ? undefined : members.tools,
    tool_choice: tools.length > 0 && toolChoice?.kind === "auto" ? tool_choice : undefined,
    thinking: thinking === undefined ? undefined : { type: thinking ? "enabled" : "disabled" },
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
