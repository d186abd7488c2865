import type { ProviderFailure } from "../../domain/outcome.ts";
import type { ProviderCall } from "../../domain/ports.ts";
import type { ResponseFormat, Tool } from "../../domain/request.ts";
import { isRecord } from "../../lib/is-record.ts";
import { encodeMessages } from "./encode-message.ts";

const NO_PARAMETERS = { type: "object", properties: {} };

/**
 * Encodes the body of `POST /api/chat` as JSON; it always asks for a stream. The
 * context window is sent because the server's own is small, whatever the model can
 * do, and longer prompts are cut without a word. The deployment's own members come
 * last and win, those of `options` one by one, but cannot change `messages`, `model`
 * or `stream`.
 */
export function encodeRequest({ deployment, request }: ProviderCall): string {
  const { sampling, tools, toolChoice } = request;
  const { options, ...overrides } = deployment.requestOverrides;
  return JSON.stringify({
    // JSON.stringify leaves undefined members out. There is no tool_choice: no tools are none to choose.
    tools: tools.length > 0 && toolChoice?.kind !== "none" ? tools.map(encodeTool) : undefined,
    format: encodeFormat(request.responseFormat),
    think: request.thinking,
    ...overrides,
    options: {
      num_ctx: deployment.capabilities?.contextWindowTokens,
      num_predict: sampling.maxOutputTokens,
      temperature: sampling.temperature,
      top_p: sampling.topP,
      stop: sampling.stopSequences?.length ? sampling.stopSequences : undefined,
      ...(isRecord(options) && options),
    },
    model: deployment.upstreamModel,
    messages: encodeMessages(request.messages),
    stream: true,
  });
}

/** Why a request cannot be told to Ollama at all, or undefined when it can. */
export function refuseRequest({ request }: ProviderCall): ProviderFailure | undefined {
  const choice = request.toolChoice?.kind;
  if (choice === "required" || choice === "tool") {
    return { class: "invalid_request", providerCode: "tool_choice_not_supported" };
  }
  const hasUrl = request.messages.some(({ parts }) =>
    parts.some((part) => part.kind === "image" && part.source.kind === "url"),
  );
  return hasUrl ? { class: "invalid_request", providerCode: "image_url_not_supported" } : undefined;
}

function encodeTool({ name, description, parameters = NO_PARAMETERS }: Tool): unknown {
  return { type: "function", function: { name, description, parameters } };
}

function encodeFormat(format: ResponseFormat | undefined): unknown {
  if (format === undefined) return undefined;
  return format.kind === "json_object" ? "json" : format.schema;
}
