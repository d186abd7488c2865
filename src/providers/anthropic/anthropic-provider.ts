import type { AnthropicProviderConfig } from "../../config/config.ts";
import type { Provider } from "../../domain/ports.ts";
import { AnswerDecoder } from "../http/answer-decoder.ts";
import { createHttpProvider, type HttpDialect, type HttpProviderDeps } from "../http/http-endpoint.ts";
import { SseReader } from "../http/sse-reader.ts";
import { encodeRequest } from "./encode-request.ts";
import { MessageStream, type MessageStreamOptions } from "./message-stream.ts";

const API_VERSION = "2023-06-01";

/** A provider that speaks Anthropic's Messages API. */
export function createAnthropicProvider(config: AnthropicProviderConfig, deps: HttpProviderDeps): Provider {
  const dialect: HttpDialect = {
    provider: "anthropic",
    path: "/v1/messages",
    modelsPath: "/v1/models?limit=1000",
    headers: {
      "anthropic-version": API_VERSION,
      ...(config.apiKey !== undefined && { "x-api-key": config.apiKey.reveal() }),
    },
    encodeRequest,
    openDecoder: ({ attemptId }, httpStatus) => openMessageDecoder({ attemptId, httpStatus }),
  };
  return createHttpProvider(config, dialect, deps);
}

/** Makes what understands the body of one message. */
export function openMessageDecoder(options: MessageStreamOptions): AnswerDecoder {
  const stream = new MessageStream(options);
  return new AnswerDecoder({
    stream,
    reader: new SseReader(stream),
    httpStatus: options.httpStatus,
    framing: "sse",
  });
}
