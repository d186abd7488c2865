import type { ProviderCall } from "../../domain/ports.ts";
import type { ResponseFormat, Tool, ToolChoice } from "../../domain/request.ts";
import { encodeMessage } from "./encode-message.ts";

/** GLM demands `parameters`, and everyone takes a schema for no arguments. */
const NO_PARAMETERS = { type: "object", properties: {} };

/**
 * Encodes the body of `POST /chat/completions` as JSON. It always asks for a stream
 * with usage: only a stream has an idle time, and unary callers get it collected.
 * The deployment's own members come last and win, but cannot change what is asked
 * (`messages`), of whom (`model`) or how it comes back (`stream`).
 */
export function encodeRequest(call: ProviderCall): string {
  const { deployment, request } = call;
  const { sampling } = request;
  return JSON.stringify({
    // JSON.stringify leaves undefined members out.
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxOutputTokens,
    stop: sampling.stopSequences?.length ? sampling.stopSequences : undefined,
    tools: request.tools.length > 0 ? request.tools.map(encodeTool) : undefined,
    tool_choice: encodeToolChoice(request.toolChoice),
    response_format: encodeResponseFormat(request.responseFormat),
    stream_options: { include_usage: true },
    ...deployment.requestOverrides,
    model: deployment.upstreamModel,
    messages: request.messages.map(encodeMessage),
    stream: true,
  });
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
