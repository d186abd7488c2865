import type { ProviderCall } from "../../domain/ports.ts";
import type { RuleProvider } from "../failures/error-rules.ts";
import { AnswerDecoder } from "../http/answer-decoder.ts";
import { SseReader } from "../http/sse-reader.ts";
import { ChatStream, type ChatStreamOptions } from "./chat-stream.ts";

/** Makes what understands the body of one chat completion. */
export function openChatDecoder(options: ChatStreamOptions): AnswerDecoder {
  const stream = new ChatStream(options);
  return new AnswerDecoder({
    stream,
    reader: new SseReader(stream),
    httpStatus: options.httpStatus,
    framing: "sse",
  });
}

/** Makes what understands the answer to one call. */
export function openAnswerDecoder(
  { attemptId, deployment }: ProviderCall,
  httpStatus: number,
  provider: RuleProvider,
): AnswerDecoder {
  const { upstreamModel } = deployment;
  return openChatDecoder({ attemptId, upstreamModel, httpStatus, provider, usesTemplate: true });
}
