/**
 * The smallest gRPC proxy that Node allows: the `stream` event of node:http2, protobuf-es,
 * undici's dispatch. No routing, no deadline, no cancellation, no validation. It is the
 * floor that Sluice's own cost is compared with, not something to run.
 */

import { createServer, type ServerHttp2Stream } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FinishReason } from "../../../gen/sluice/v1/generation_pb.ts";
import {
  GenerateRequestSchema,
  GenerateResponseSchema,
  StreamGenerateRequestSchema,
} from "../../../gen/sluice/v1/router_service_pb.ts";
import { type ChatAnswer, encodeChatBody } from "../chat-body.ts";
import { listen, readUpstreamOrigin } from "../listen.ts";
import { encodeTextDelta, FRAME_HEAD_BYTES, frame } from "./grpc-frame.ts";
import { SseTextScanner } from "./sse-text-scanner.ts";
import { Upstream } from "./upstream.ts";

const HEADERS = { ":status": 200, "content-type": "application/grpc" };
const OK_TRAILERS = { "grpc-status": "0" };
const FAILED_TRAILERS = { "grpc-status": "14", "grpc-message": "upstream failed" };
const WITH_TRAILERS = { waitForTrailers: true };
/** The windows Sluice also uses: with the defaults many streams would wait for each other. */
const STREAM_WINDOW_BYTES = 1 << 20;
const SESSION_WINDOW_BYTES = 4 << 20;

const upstream = new Upstream(readUpstreamOrigin());

function begin(stream: ServerHttp2Stream): (ok: boolean) => void {
  let trailers = OK_TRAILERS;
  stream.respond(HEADERS, WITH_TRAILERS);
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  return (ok) => {
    if (!ok) trailers = FAILED_TRAILERS;
    stream.end();
  };
}

function generate(stream: ServerHttp2Stream, message: Uint8Array): void {
  const body = encodeChatBody(fromBinary(GenerateRequestSchema, message).spec, false);
  const chunks: Buffer[] = [];
  upstream.post(body, {
    onData: (chunk) => chunks.push(chunk),
    onEnd(ok) {
      const end = begin(stream);
      if (!ok) return end(false);
      const whole = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      const answer = JSON.parse(whole.toString()) as ChatAnswer;
      const response = create(GenerateResponseSchema, {
        responseModel: answer.model,
        text: answer.choices[0]?.message.content ?? "",
        finishReason: FinishReason.STOP,
        usage: {
          inputTokenCount: BigInt(answer.usage.prompt_tokens),
          outputTokenCount: BigInt(answer.usage.completion_tokens),
        },
      });
      stream.write(frame(toBinary(GenerateResponseSchema, response)));
      end(true);
    },
  });
}

function streamGenerate(stream: ServerHttp2Stream, message: Uint8Array): void {
  const body = encodeChatBody(fromBinary(StreamGenerateRequestSchema, message).spec, true);
  const end = begin(stream);
  let sequenceNumber = 0;
  const scanner = new SseTextScanner((text) => stream.write(encodeTextDelta(sequenceNumber++, text)));
  upstream.post(body, {
    onData: (chunk) => scanner.push(chunk),
    onEnd: (ok) => end(ok && scanner.done),
  });
}

const server = createServer({
  settings: { maxConcurrentStreams: 1024, initialWindowSize: STREAM_WINDOW_BYTES },
  maxSessionMemory: 1000,
});
server.on("session", (session) => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
server.on("stream", (stream, headers) => {
  const serve = headers[":path"] === "/sluice.v1.RouterService/Generate" ? generate : streamGenerate;
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const whole = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    serve(stream, whole.subarray(FRAME_HEAD_BYTES));
  });
  // A generator that stops resets its streams; without a listener that would end the process.
  stream.on("error", () => stream.destroy());
});
listen(server);
