import type { ProviderCall } from "../../domain/ports.ts";
import { encodeBody, encodeMembers } from "../openai/encode-request.ts";

/**
 * Encodes a request for OpenRouter. Another host of the same model may answer; another
 * model never, not even by the operator's word: two layers of fallback would hide who
 * answered and spoil what is known of each.
 */
export function encodeRequest(call: ProviderCall): string {
  const { models: _models, ...requestOverrides } = call.deployment.requestOverrides;
  const { stream_options: _options, ...members } = encodeMembers(call);
  return encodeBody(
    { ...call, deployment: { ...call.deployment, requestOverrides } },
    // Usage and cost come unasked.
    { ...members, provider: { allow_fallbacks: true } },
  );
}
