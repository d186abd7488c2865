import type { GeminiProviderConfig } from "../../config/config.ts";
import type { Provider } from "../../domain/ports.ts";
import {
  bearerHeaders,
  createHttpProvider,
  type HttpDialect,
  type HttpProviderDeps,
} from "../http/http-endpoint.ts";
import { openAnswerDecoder } from "../openai/open-chat-decoder.ts";
import { encodeRequest } from "./encode-request.ts";

/** A provider that speaks chat completions as Gemini's compatible endpoint has them. */
export function createGeminiProvider(config: GeminiProviderConfig, deps: HttpProviderDeps): Provider {
  const dialect: HttpDialect = {
    provider: "gemini",
    path: "/chat/completions",
    modelsPath: "/models",
    headers: bearerHeaders(config),
    encodeRequest,
    openDecoder: (call, httpStatus) => openAnswerDecoder(call, httpStatus, "gemini"),
  };
  return createHttpProvider(config, dialect, deps);
}
