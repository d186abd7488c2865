import type { ProviderCall } from "../../domain/ports.ts";
import type { Message, ResponseFormat, Tool, ToolChoice } from "../../domain/request.ts";
import { encodeMessage, type WireMessage } from "./encode-message.ts";

/** GLM demands `parameters`, and everyone takes a schema for no arguments. */
const NO_PARAMETERS = { type: "object", properties: {} };

/** Members of a request's body; undefined ones are not sent. */
export type ChatMembers = Readonly<Record<string, unknown>>;

/** What a caller asked beside the messages, as members of `POST /chat/completions`. */
export function encodeMembers({ request }: ProviderCall): ChatMembers {
  const { sampling } = request;
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxOutputTokens,
    stop: sampling.stopSequences?.length ? sampling.stopSequences : undefined,
    tools: request.tools.length > 0 ? request.tools.map(encodeTool) : undefined,
    tool_choice: encodeToolChoice(request.toolChoice),
    response_format: encodeResponseFormat(request.responseFormat),
    stream_options: { include_usage: true },
  };
}

/**
 * Writes the body of `POST /chat/completions` as JSON. It always asks for a stream
 * with usage: only a stream has an idle time, and unary callers get it collected.
 * The deployment's own members come last and win, but cannot change what is asked
 * (`messages`), of whom (`model`) or how it comes back (`stream`).
 */
export function encodeBody(
  { deployment, request }: ProviderCall,
  members: ChatMembers,
  encode: (message: Message) => WireMessage = encodeMessage,
): string {
  // JSON.stringify leaves undefined members out.
  return JSON.stringify({
    ...members,
    ...deployment.requestOverrides,
    model: deployment.upstreamModel,
    messages: request.messages.map(encode),
    stream: true,
  });
}

/** Models that think first, and those of their generation. */
const RENAMED_LIMIT_MODEL = /^(?:o\d|gpt-[5-9])/;

/** Encodes a request for OpenAI and servers compatible with it. OpenAI's newer models have another name for the limit. */
export function encodeRequest(call: ProviderCall): string {
  const { thinking } = call.request;
  const members: ChatMembers = {
    ...encodeMembers(call),
    // DeepSeek's word; the rules of parameters let it through for DeepSeek's models alone.
    thinking: thinking === undefined ? undefined : { type: thinking ? "enabled" : "disabled" },
  };
  if (!RENAMED_LIMIT_MODEL.test(call.deployment.upstreamModel)) return encodeBody(call, members);
  const { max_tokens, ...others } = members;
  return encodeBody(call, { ...others, max_completion_tokens: max_tokens });
}

function encodeTool(tool: Tool): unknown {
  const { name, description, parameters = NO_PARAMETERS } = tool;
  return { type: "function", function: { name, description, parameters } };
}

function encodeToolChoice(choice: ToolChoice | undefined): unknown {
  return choice?.kind === "tool" ? { type: "function", function: { name: choice.name } } : choice?.kind;
}

function encodeResponseFormat(format: ResponseFormat | undefined): unknown {
  if (format?.kind !== "json_schema") return format && { type: format.kind };
  const { name, schema, strict } = format;
  return { type: "json_schema", json_schema: { name, schema, strict } };
}
