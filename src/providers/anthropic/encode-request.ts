import type { ProviderCall } from "../../domain/ports.ts";
import type { GenerationRequest, ResponseFormat, Tool, ToolChoice } from "../../domain/request.ts";
import { encodeMessages, encodeSystem } from "./encode-message.ts";

/** The API demands a limit: this one where neither the request nor the catalog has any. */
const DEFAULT_MAX_TOKENS = 4_096;

const NO_PARAMETERS = { type: "object", properties: {} };

/**
 * Encodes the body of `POST /v1/messages` as JSON; it always asks for a stream. The
 * deployment's own members come last and win, but cannot change what is asked
 * (`messages`), of whom (`model`) or how it comes back (`stream`).
 */
export function encodeRequest({ deployment, request }: ProviderCall): string {
  const { sampling } = request;
  return JSON.stringify({
    // JSON.stringify leaves undefined members out.
    max_tokens: sampling.maxOutputTokens ?? deployment.capabilities?.maxOutputTokens ?? DEFAULT_MAX_TOKENS,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    stop_sequences: sampling.stopSequences?.length ? sampling.stopSequences : undefined,
    system: encodeInstructions(request) || undefined,
    tools: request.tools.length > 0 ? request.tools.map(encodeTool) : undefined,
    tool_choice: request.tools.length > 0 ? encodeToolChoice(request.toolChoice) : undefined,
    ...deployment.requestOverrides,
    model: deployment.upstreamModel,
    messages: encodeMessages(request.messages),
    stream: true,
  });
}

function encodeTool({ name, description, parameters = NO_PARAMETERS }: Tool): unknown {
  return { name, description, input_schema: parameters };
}

function encodeToolChoice(choice: ToolChoice | undefined): unknown {
  if (choice?.kind === "tool") return { type: "tool", name: choice.name };
  return choice && { type: choice.kind === "required" ? "any" : choice.kind };
}

function encodeInstructions({ messages, responseFormat }: GenerationRequest): string {
  return [encodeSystem(messages), describeFormat(responseFormat)].filter((text) => text !== "").join("\n\n");
}

/** There is no member for a format of the answer, so the model is told in words. */
function describeFormat(format: ResponseFormat | undefined): string {
  if (format === undefined) return "";
  const demand = "Answer with one JSON object and nothing else: no explanation and no code fence.";
  if (format.kind === "json_object") return demand;
  return `${demand} It must follow this JSON Schema:\n${JSON.stringify(format.schema)}`;
}
