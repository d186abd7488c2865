import type { ProviderCall } from "../../domain/ports.ts";
import type { Message } from "../../domain/request.ts";
import { holdsThoughts } from "../anthropic/thought-signature.ts";
import { encodeMessage, type WireMessage } from "../openai/encode-message.ts";
import { encodeBody, encodeMembers } from "../openai/encode-request.ts";

/** Encodes a request for Gemini's endpoint in OpenAI's style. */
export function encodeRequest(call: ProviderCall): string {
  return encodeBody(call, encodeMembers(call), encodeSigned);
}

/**
 * Calls of tools go back with the signature they came with: without it the turn after
 * them is refused (ai.google.dev, thought signatures).
 */
function encodeSigned(message: Message): WireMessage {
  const encoded = encodeMessage(message);
  // A conversation may have come from another provider.
  const signatures = (message.toolCalls ?? []).map(({ thoughtSignature: signature }) =>
    signature === undefined || holdsThoughts(signature) ? undefined : signature,
  );
  if (!Array.isArray(encoded.tool_calls) || signatures.every((signature) => !signature)) return encoded;
  const signed = encoded.tool_calls.map((call: WireMessage, index) => {
    const signature = signatures[index];
    return signature ? { ...call, extra_content: { google: { thought_signature: signature } } } : call;
  });
  return { ...encoded, tool_calls: signed };
}
