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
