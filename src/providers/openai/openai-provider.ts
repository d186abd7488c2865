import type { OpenAiProviderConfig } from "../../config/config.ts";
import type { Provider } from "../../domain/ports.ts";
import {
  bearerHeaders,
  createHttpProvider,
  type HttpDialect,
  type HttpProviderDeps,
} from "../http/http-endpoint.ts";
import { encodeRequest } from "./encode-request.ts";
import { openAnswerDecoder } from "./open-chat-decoder.ts";

/** A provider that speaks OpenAI's chat completions. */
export function createOpenAiProvider(config: OpenAiProviderConfig, deps: HttpProviderDeps): Provider {
  const dialect: HttpDialect = {
    provider: "openai",
    path: "/chat/completions",
    modelsPath: "/models",
    headers: bearerHeaders(config),
    encodeRequest,
    openDecoder: (call, httpStatus) => openAnswerDecoder(call, httpStatus, "openai"),
  };
  return createHttpProvider(config, dialect, deps);
}
