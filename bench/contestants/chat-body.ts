import type { GenerationSpec } from "../../gen/sluice/v1/generation_pb.ts";

/**
 * OpenAI's request body for a spec with one text message to a named model: all that
 * the small proxies can do. Checks nothing, as a floor should.
 */
export function encodeChatBody(spec: GenerationSpec | undefined, stream: boolean): string {
  const model = spec?.target?.kind.case === "model" ? spec.target.kind.value : "";
  const part = spec?.messages[0]?.parts[0]?.part;
  const content = part?.case === "text" ? part.value : "";
  return JSON.stringify({
    model,
    messages: [{ role: "user", content }],
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  });
}

/** The members of OpenAI's answer that the small proxies read. */
export interface ChatAnswer {
  readonly model: string;
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}
