import type { ProviderCall } from "../../domain/ports.ts";
import { isRecord } from "../../lib/is-record.ts";
import { encodeBody, encodeMembers } from "../openai/encode-request.ts";

/**
 * Encodes a request for OpenRouter. Another host of the same model may answer; another
 * model never, not even by the operator's word: two layers of fallback would hide who
 * answered and spoil what is known of each. Hosts that would drop tools or the form of the
 * answer without a word are not asked, unless the operator says so.
 */
export function encodeRequest(call: ProviderCall): string {
  const { models: _models, route: _route, provider, ...requestOverrides } = call.deployment.requestOverrides;
  const { stream_options: _options, ...members } = encodeMembers(call);
  const { tools, responseFormat, thinking } = call.request;
  const isStrict = tools.length > 0 || responseFormat !== undefined;
  const hosts = {
    allow_fallbacks: true,
    ...(isStrict && { require_parameters: true }),
    // An order of hosts, say, takes nothing from the rest.
    ...(isRecord(provider) && provider),
  };
  return encodeBody(
    { ...call, deployment: { ...call.deployment, requestOverrides } },
    {
      // Usage and cost come unasked.
      ...members,
      reasoning: thinking === undefined ? undefined : { enabled: thinking },
      provider: hosts,
    },
  );
}
