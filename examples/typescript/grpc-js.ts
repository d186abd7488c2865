/** Calls Sluice from TypeScript with grpc-js: node grpc-js.ts [HOST:PORT] */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { type GenerationSpec, GenerationSpecSchema, Role } from "../../gen/sluice/v1/generation_pb.ts";
import {
  GenerateRequestSchema,
  type GenerateResponse,
  GenerateResponseSchema,
  StreamGenerateRequestSchema,
  StreamGenerateResponseSchema,
} from "../../gen/sluice/v1/router_service_pb.ts";

const address = process.argv[2] ?? process.env.SLUICE_SERVER ?? "127.0.0.1:50051";
const client = new Client(address, credentials.createInsecure());

/** Describes a generation: one question, to one model or to whichever fits. */
function ask(text: string, model?: string): GenerationSpec {
  return create(GenerationSpecSchema, {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: text } }] }],
    ...(model === undefined ? {} : { target: { kind: { case: "model", value: model } } }),
  });
}

/** Calls Generate. grpc-js takes the messages of protobuf-es as they are; no proto-loader is needed. */
function callGenerate(spec: GenerationSpec, timeoutMs: number): Promise<GenerateResponse> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/sluice.v1.RouterService/Generate",
      (message) => Buffer.from(toBinary(GenerateRequestSchema, message)),
      (bytes) => fromBinary(GenerateResponseSchema, bytes),
      create(GenerateRequestSchema, { spec }),
      // Always set a deadline: without one the server's own limit of minutes holds.
      { deadline: Date.now() + timeoutMs },
      (error, response) => (response === undefined ? reject(error) : resolve(response)),
    );
  });
}

/** Calls StreamGenerate. */
function callStream(spec: GenerationSpec, timeoutMs: number) {
  return client.makeServerStreamRequest(
    "/sluice.v1.RouterService/StreamGenerate",
    (message) => Buffer.from(toBinary(StreamGenerateRequestSchema, message)),
    (bytes) => fromBinary(StreamGenerateResponseSchema, bytes),
    create(StreamGenerateRequestSchema, { spec }),
    { deadline: Date.now() + timeoutMs },
  );
}

/** Tells a failed call from a bug. */
function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error && "metadata" in error;
}

/** Reads the reason that docs/errors.md lists, or undefined when it was not Sluice that answered. */
function readReason(error: ServiceError): string | undefined {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) return undefined;
  for (const detail of fromBinary(StatusSchema, bytes).details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info !== undefined) return info.reason;
  }
  return undefined;
}

async function generate(): Promise<void> {
  const answer = await callGenerate(ask("Say hello"), 60_000);
  console.log(`unary: ${answer.model} answered ${answer.text.length} characters`);
}

async function stream(): Promise<void> {
  let text = "";
  let isFinished = false;
  for await (const { event } of callStream(ask("Tell me a story"), 60_000)) {
    if (event.case === "textDelta") text += event.value.text;
    if (event.case === "finished") isFinished = true;
    // Kinds of events may be added: what is not known is skipped.
  }
  console.log(`stream: ${text.length} characters, finished: ${isFinished}`);
}

async function fail(): Promise<void> {
  try {
    await callGenerate(ask("Hi", "no-such-model"), 60_000);
  } catch (error) {
    if (!isServiceError(error)) throw error;
    console.log(`error: ${status[error.code]} ${readReason(error)}`);
  }
}

async function exceedDeadline(): Promise<void> {
  try {
    await callGenerate(ask("Tell me a long story"), 300);
  } catch (error) {
    if (!isServiceError(error)) throw error;
    console.log(`deadline: ${status[error.code]}`);
  }
}

async function cancel(): Promise<void> {
  const call = callStream(ask("Tell me a long story"), 60_000);
  try {
    for await (const { event } of call) {
      // Leaving the loop would not be enough: only cancel tells Sluice, which then stops the model.
      if (event.case === "textDelta") call.cancel();
    }
  } catch (error) {
    if (!isServiceError(error)) throw error;
    console.log(`cancel: ${status[error.code]}`);
  }
}

for (const step of [generate, stream, fail, exceedDeadline, cancel]) await step();
client.close();
