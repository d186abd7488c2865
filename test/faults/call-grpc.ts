/** A gRPC caller on bare HTTP/2, which counts the ends it is told and enforces no deadline of its own. */

import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { type Attempt, GenerationFailureSchema, Outcome, Role } from "../../gen/sluice/v1/generation_pb.ts";
import {
  GenerateRequestSchema,
  GenerateResponseSchema,
  StreamGenerateRequestSchema,
  StreamGenerateResponseSchema,
} from "../../gen/sluice/v1/router_service_pb.ts";
import { CANARIES } from "../support/canaries.ts";
import { nameEnumValue } from "../support/name-enum-value.ts";
import type { CallReport } from "./call-report.ts";

/** What to ask for. */
export interface GrpcCall {
  readonly streams: boolean;
  readonly target: { readonly case: "model" | "group"; readonly value: string };
  readonly timeoutMs: number;
}

const FRAME_HEAD_BYTES = 5;

/** Opens the connection that calls share. */
export function openSession(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: 1024 * 1024 },
  });
  session.on("connect", () => session.setLocalWindowSize(16 * 1024 * 1024));
  session.on("error", () => {});
  return session;
}

/** Makes one call; resolves at its end, however it ends. */
export function callGrpc(session: ClientHttp2Session, call: GrpcCall): Promise<CallReport> {
  const spec = {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text" as const, value: CANARIES.prompt } }] }],
    target: { kind: call.target },
  };
  const message = call.streams
    ? toBinary(StreamGenerateRequestSchema, create(StreamGenerateRequestSchema, { spec }))
    : toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { spec }));
  const startedMs = performance.now();
  const stream = session.request({
    ":method": "POST",
    ":path": `/sluice.v1.RouterService/${call.streams ? "StreamGenerate" : "Generate"}`,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-timeout": `${call.timeoutMs}m`,
  });
  const heads: IncomingHttpHeaders[] = [];
  const pieces: Buffer[] = [];
  const problems: string[] = [];
  stream.on("response", (headers) => heads.push(headers));
  stream.on("trailers", (headers) => heads.push(headers));
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("error", (error) => problems.push(`the call broke: ${error.message}`));
  return new Promise((resolve) => {
    stream.on("close", () => {
      const durationMs = performance.now() - startedMs;
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) problems.push(`RST_STREAM ${stream.rstCode}`);
      resolve(readReport(call, heads, Buffer.concat(pieces), problems, durationMs));
    });
    const frameHead = Buffer.alloc(FRAME_HEAD_BYTES);
    frameHead.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([frameHead, message]));
  });
}

function readReport(
  { streams }: GrpcCall,
  heads: readonly IncomingHttpHeaders[],
  body: Buffer,
  problems: string[],
  durationMs: number,
): CallReport {
  const ends = heads.filter((headers) => headers["grpc-status"] !== undefined);
  const trailers = ends.at(-1) ?? {};
  const code = Number(trailers["grpc-status"] ?? status.UNKNOWN);
  const messages = splitFrames(body, problems);
  const heard = streams ? readEvents(messages, problems) : readAnswer(messages);
  const isOk = code === status.OK;
  if (heard.finishCount !== (isOk ? 1 : 0))
    problems.push(`${heard.finishCount} whole answers with status ${code}`);
  const failure = readFailure(trailers["grpc-status-details-bin"]);
  return {
    endCount: ends.length,
    code: status[code] ?? `${code}`,
    reason: failure.reason,
    httpStatus: undefined,
    attempts: (isOk ? heard.attempts : failure.attempts).map(
      ({ outcome, httpStatus }) => `${nameEnumValue(Outcome, outcome)} ${httpStatus ?? "-"}`,
    ),
    text: heard.text,
    problems,
    durationMs,
    given: JSON.stringify(heads) + body.toString("latin1"),
  };
}

function splitFrames(body: Buffer, problems: string[]): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end =
      at + FRAME_HEAD_BYTES + (body.length >= at + FRAME_HEAD_BYTES ? body.readUInt32BE(at + 1) : 0);
    if (end > body.length) {
      problems.push("a gRPC message is cut");
      break;
    }
    messages.push(body.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return messages;
}

interface Heard {
  readonly text: string;
  readonly finishCount: number;
  readonly attempts: readonly Attempt[];
}

function readAnswer(messages: readonly Buffer[]): Heard {
  const answers = messages.map((message) => fromBinary(GenerateResponseSchema, message));
  const [answer] = answers;
  return { text: answer?.text ?? "", finishCount: answers.length, attempts: answer?.attempts ?? [] };
}

function readEvents(messages: readonly Buffer[], problems: string[]): Heard {
  let text = "";
  let finishCount = 0;
  let attempts: readonly Attempt[] = [];
  for (const [index, message] of messages.entries()) {
    const { event, sequenceNumber } = fromBinary(StreamGenerateResponseSchema, message);
    if (sequenceNumber !== index) problems.push(`event ${index} has number ${sequenceNumber}`);
    if (finishCount > 0) problems.push(`${event.case} after finished`);
    if (event.case === "textDelta") text += event.value.text;
    if (event.case !== "finished") continue;
    finishCount += 1;
    attempts = event.value.attempts;
  }
  return { text, finishCount, attempts };
}

function readFailure(encoded: string | string[] | undefined): {
  readonly reason: string | undefined;
  readonly attempts: readonly Attempt[];
} {
  if (typeof encoded !== "string") return { reason: undefined, attempts: [] };
  const { details } = fromBinary(StatusSchema, Buffer.from(encoded, "base64"));
  const find = <T>(values: readonly (T | undefined)[]) => values.find((value) => value !== undefined);
  return {
    reason: find(details.map((detail) => anyUnpack(detail, ErrorInfoSchema)))?.reason,
    attempts: find(details.map((detail) => anyUnpack(detail, GenerationFailureSchema)))?.attempts ?? [],
  };
}
