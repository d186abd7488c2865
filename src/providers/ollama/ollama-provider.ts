import type { OllamaProviderConfig } from "../../config/config.ts";
import type { Provider } from "../../domain/ports.ts";
import { AnswerDecoder } from "../http/answer-decoder.ts";
import {
  bearerHeaders,
  createHttpProvider,
  type HttpDialect,
  type HttpProviderDeps,
} from "../http/http-endpoint.ts";
import { NdjsonReader } from "../http/ndjson-reader.ts";
import { ChatLines, type ChatLinesOptions } from "./chat-lines.ts";
import { encodeRequest, refuseRequest } from "./encode-request.ts";

/** A provider that speaks Ollama's own chat API. */
export function createOllamaProvider(config: OllamaProviderConfig, deps: HttpProviderDeps): Provider {
  const dialect: HttpDialect = {
    provider: "ollama",
    path: "/api/chat",
    modelsPath: "/api/tags",
    // A server of one's own wants no key; the maker's cloud does.
    headers: bearerHeaders(config),
    refuseRequest,
    encodeRequest,
    openDecoder: ({ attemptId }, httpStatus) => openLinesDecoder({ attemptId, httpStatus }),
  };
  return createHttpProvider(config, dialect, deps);
}

/** Makes what understands the body of one answer. */
export function openLinesDecoder(options: ChatLinesOptions): AnswerDecoder {
  const stream = new ChatLines(options);
  return new AnswerDecoder({
    stream,
    reader: new NdjsonReader((line) => stream.readLine(line)),
    httpStatus: options.httpStatus,
    framing: "ndjson",
  });
}
