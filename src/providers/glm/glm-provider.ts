import type { GlmProviderConfig } from "../../config/config.ts";
import type { Provider } from "../../domain/ports.ts";
import {
  bearerHeaders,
  createHttpProvider,
  type HttpDialect,
  type HttpProviderDeps,
} from "../http/http-endpoint.ts";
import { openAnswerDecoder } from "../openai/open-chat-decoder.ts";
import { encodeRequest, refuseRequest } from "./encode-request.ts";

/** A provider that speaks Zhipu's chat completions, on bigmodel.cn or Z.ai. */
export function createGlmProvider(config: GlmProviderConfig, deps: HttpProviderDeps): Provider {
  const dialect: HttpDialect = {
    provider: "zhipu",
    path: "/chat/completions",
    // The language of error messages on Z.ai.
    headers: { ...bearerHeaders(config), "accept-language": "en-US,en" },
    refuseRequest,
    encodeRequest,
    openDecoder: (call, httpStatus) => openAnswerDecoder(call, httpStatus, "zhipu"),
  };
  return createHttpProvider(config, dialect, deps);
}
