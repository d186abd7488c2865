import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ServerReflectionRequestSchema } from "../../../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ListModelsRequestSchema,
  ListModelsResponseSchema,
} from "../../../../gen/sluice/v1/model_service_pb.ts";
import { StreamGenerateRequestSchema } from "../../../../gen/sluice/v1/router_service_pb.ts";
import { SPECIAL_MESSAGE, STREAM_SIZES } from "./interop-server.ts";

/** As in gRPC's large_unary. */
const LARGE_CHARACTERS = 271_828;

/**
 * What every client is told to do, with messages ready as base64: the cases are about the
 * protocol, and clients in languages without generated code can make them too.
 */
export const interopPlan = {
  list: "/sluice.v1.ModelService/ListModels",
  get: "/sluice.v1.ModelService/GetModel",
  stream: "/sluice.v1.RouterService/StreamGenerate",
  reflect: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  unimplementedMethod: "/sluice.v1.ModelService/Nothing",
  unimplementedService: "/sluice.v1.NoService/Nothing",
  empty: encode(ListModelsRequestSchema, {}),
  emptyAnswer: encode(ListModelsResponseSchema, {}),
  large: encodeGet("x".repeat(LARGE_CHARACTERS)),
  largeAnswer: encode(GetModelResponseSchema, { model: { name: "x".repeat(LARGE_CHARACTERS) } }),
  getStatus: encodeGet("status"),
  getSpecial: encodeGet("special"),
  getSleep: encodeGet("sleep"),
  streamAll: encodeStream("all"),
  streamEmpty: encodeStream("empty"),
  streamStatus: encodeStream("status"),
  streamSleepAfterOne: encodeStream("sleep after one"),
  streamSleep: encodeStream("sleep"),
  streamSizes: STREAM_SIZES,
  ping: encode(ServerReflectionRequestSchema, {
    host: "ping",
    messageRequest: { case: "fileByFilename", value: "none.proto" },
  }),
  statusMessage: "test status message",
  specialMessage: SPECIAL_MESSAGE,
} as const;

/** What every client must print, in this order. */
export const INTEROP_CASES = [
  "empty_unary",
  "large_unary",
  "client_compressed_unary",
  "server_compressed_unary",
  "server_streaming",
  "server_compressed_streaming",
  "ping_pong",
  "empty_stream",
  "custom_metadata",
  "status_code_and_message",
  "special_status_message",
  "unimplemented_method",
  "unimplemented_service",
  "cancel_after_begin",
  "cancel_after_first_response",
  "timeout_on_sleeping_server",
  "rpc_soak",
  "many_at_once",
  "large_metadata",
] as const;

function encodeGet(name: string): string {
  return encode(GetModelRequestSchema, { name });
}

function encodeStream(text: string): string {
  return encode(StreamGenerateRequestSchema, {
    spec: { messages: [{ parts: [{ part: { case: "text", value: text } }] }] },
  });
}

function encode<Desc extends DescMessage>(schema: Desc, value: MessageInitShape<Desc>): string {
  return Buffer.from(toBinary(schema, create(schema, value))).toString("base64");
}
