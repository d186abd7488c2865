import type { OpenRouterProviderConfig } from "../../config/config.ts";
import type { Provider } from "../../domain/ports.ts";
import {
  bearerHeaders,
  createHttpProvider,
  type HttpDialect,
  type HttpProviderDeps,
} from "../http/http-endpoint.ts";
import { openAnswerDecoder } from "../openai/open-chat-decoder.ts";
import { encodeRequest } from "./encode-request.ts";

/** A provider that speaks OpenRouter's chat completions. */
export function createOpenRouterProvider(config: OpenRouterProviderConfig, deps: HttpProviderDeps): Provider {
  const dialect: HttpDialect = {
    provider: "openrouter",
    path: "/chat/completions",
    modelsPath: "/models",
    headers: bearerHeaders(config),
    encodeRequest,
    openDecoder: (call, httpStatus) => openAnswerDecoder(call, httpStatus, "openrouter"),
  };
  return createHttpProvider(config, dialect, deps);
}
