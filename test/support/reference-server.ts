/** A gRPC server made of grpc-js alone, for tests of clients: it says what a test tells it to say. */

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { ErrorInfoSchema, RequestInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import type { MetricsRequest, WatchMetricsRequest } from "../../gen/sluice/v1/metrics_pb.ts";
import { MetricsResponseSchema, WatchMetricsResponseSchema } from "../../gen/sluice/v1/metrics_pb.ts";
import {
  type GetModelRequest,
  GetModelResponseSchema,
  ListModelsResponseSchema,
  ModelService,
} from "../../gen/sluice/v1/model_service_pb.ts";
import {
  type GenerateRequest,
  GenerateResponseSchema,
  RouterService,
  type StreamGenerateRequest,
  StreamGenerateResponseSchema,
} from "../../gen/sluice/v1/router_service_pb.ts";
import { defineService } from "../../src/cli/service-definition.ts";

/** An error with the details of AIP-193. */
export interface ReferenceFailure {
  readonly code: number;
  readonly message: string;
  readonly reason?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly details?: readonly { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> }[];
}

/** A stream of the server's side. */
export interface ReferenceStream<Desc extends DescMessage> {
  send(message: MessageInitShape<Desc>): void;
  end(error?: ReferenceFailure): void;
  /** Called when the caller left. */
  onCancelled(fn: () => void): void;
}

/** What each method does. A method that is left out is UNIMPLEMENTED. */
export interface ReferenceMethods {
  generate?(
    request: GenerateRequest,
    onCancelled: (fn: () => void) => void,
  ): MessageInitShape<typeof GenerateResponseSchema> | ReferenceFailure | "silence";
  streamGenerate?(
    request: StreamGenerateRequest,
    stream: ReferenceStream<typeof StreamGenerateResponseSchema>,
  ): void;
  metrics?(request: MetricsRequest): MessageInitShape<typeof MetricsResponseSchema> | ReferenceFailure;
  watchMetrics?(
    request: WatchMetricsRequest,
    stream: ReferenceStream<typeof WatchMetricsResponseSchema>,
  ): void;
  listModels?(): MessageInitShape<typeof ListModelsResponseSchema> | ReferenceFailure;
  getModel?(request: GetModelRequest): MessageInitShape<typeof GetModelResponseSchema> | ReferenceFailure;
}

/** A running server. */
export interface ReferenceServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  close(): void;
}

const UNIMPLEMENTED: ReferenceFailure = { code: 12, message: "the test gave no such method" };

/** Starts a server on a free port of 127.0.0.1. Errors carry the request id `reference-request`. */
export async function startReferenceServer(methods: ReferenceMethods): Promise<ReferenceServer> {
  const server = new Server();
  server.addService(defineService(RouterService), {
    Generate: answer(GenerateResponseSchema, (request: GenerateRequest, onCancelled) =>
      methods.generate?.(request, onCancelled),
    ),
    StreamGenerate: stream(StreamGenerateResponseSchema, methods.streamGenerate?.bind(methods)),
    Metrics: answer(MetricsResponseSchema, (request: MetricsRequest) => methods.metrics?.(request)),
    WatchMetrics: stream(WatchMetricsResponseSchema, methods.watchMetrics?.bind(methods)),
  });
  server.addService(defineService(ModelService), {
    ListModels: answer(ListModelsResponseSchema, () => methods.listModels?.()),
    GetModel: answer(GetModelResponseSchema, (request: GetModelRequest) => methods.getModel?.(request)),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

function isError(value: object): value is ReferenceFailure {
  return "code" in value && "message" in value;
}

function answer<Request, Desc extends DescMessage>(
  desc: Desc,
  handle: (
    request: Request,
    onCancelled: (fn: () => void) => void,
  ) => MessageInitShape<Desc> | ReferenceFailure | "silence" | undefined,
) {
  return (
    call: ServerUnaryCall<Request, object>,
    done: (error: object | null, value?: object) => void,
  ): void => {
    const result = handle(call.request, (fn) => call.on("cancelled", fn)) ?? UNIMPLEMENTED;
    if (result === "silence") return;
    if (isError(result)) done(encode(result));
    else done(null, create(desc, result));
  };
}

function stream<Request, Desc extends DescMessage>(
  desc: Desc,
  handle: ((request: Request, stream: ReferenceStream<Desc>) => void) | undefined,
) {
  return (call: ServerWritableStream<Request, object>): void => {
    const end = (error?: ReferenceFailure) => {
      if (error === undefined) call.end();
      else call.emit("error", encode(error));
    };
    if (handle === undefined) return end(UNIMPLEMENTED);
    handle(call.request, {
      send: (message) => call.write(create(desc, message)),
      end,
      onCancelled: (fn) => call.on("cancelled", fn),
    });
  };
}

function encode({ code, message, reason, trailers = {}, details = [] }: ReferenceFailure): object {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  if (reason !== undefined) {
    const packed = [
      anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain: "sluice" })),
      anyPack(RequestInfoSchema, create(RequestInfoSchema, { requestId: "reference-request" })),
      ...details.map(({ desc, value }) => anyPack(desc, create(desc, value))),
    ];
    const status = create(StatusSchema, { code, message, details: packed });
    metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, status)));
  }
  return { code, details: message, metadata };
}
