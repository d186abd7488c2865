/** RouterService as one interface over every client library, so that one test can ask all of them. */

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type ClientUnaryCall, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import type { GenerationSpecSchema } from "../../../gen/sluice/v1/generation_pb.ts";
import {
  GenerateRequestSchema,
  type GenerateResponse,
  RouterService,
  StreamGenerateRequestSchema,
  type StreamGenerateResponse,
} from "../../../gen/sluice/v1/router_service_pb.ts";
import { defineMethod } from "../../../src/cli/service-definition.ts";
import { refuseCanaries } from "../../support/canaries.ts";
import { openGrpcJs, testTransports } from "../server/test-clients.ts";

/** The contract's GenerationSpec, as a test writes it. */
export type Spec = MessageInitShape<typeof GenerationSpecSchema>;

/** What goes with one call. */
export interface CallerOptions {
  /** Leaves the call when it is aborted. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Told the headers of the answer, by lower-case name. */
  readonly onHeader?: (read: (name: string) => string | undefined) => void;
}

/** A call's failure, the same from every library. */
export class CallerError extends Error {
  /** The gRPC code's name, for example `UNAVAILABLE`. */
  readonly code: string;
  readonly #find: <D extends DescMessage>(desc: D) => MessageShape<D>[];

  constructor(code: string, message: string, find: <D extends DescMessage>(desc: D) => MessageShape<D>[]) {
    super(message);
    this.code = code;
    this.#find = find;
  }

  /** The one detail of this type; fails when there is none or more. */
  detail<D extends DescMessage>(desc: D): MessageShape<D> {
    const [found, ...more] = this.#find(desc);
    if (found === undefined || more.length > 0)
      throw new Error(`not exactly one ${desc.typeName} in the error`);
    return found;
  }
}

/** A connection to one Sluice. */
export interface RpcCaller {
  /** Rejects with a CallerError. */
  generate(spec: Spec, options?: CallerOptions): Promise<GenerateResponse>;
  /** Throws a CallerError while it is read. */
  stream(spec: Spec, options?: CallerOptions): AsyncIterable<StreamGenerateResponse>;
  close(): void;
}

/** A client library, and how to open it. */
export interface RpcClientKind {
  readonly name: string;
  open(port: number): RpcCaller;
}

/** grpc-js, and Connect's three protocols over both HTTP versions. */
export const rpcClients: readonly RpcClientKind[] = [
  { name: "grpc-js", open: openGrpcJsCaller },
  ...testTransports.map(({ name, open }) => ({
    name: `Connect's client, ${name}`,
    open: (port: number) => openConnectCaller(open(`http://127.0.0.1:${port}`)),
  })),
];

/** RouterService over grpc-js. */
export function openGrpcJsCaller(port: number): RpcCaller {
  const client = openGrpcJs(port);
  const unary = defineMethod(RouterService.method.generate);
  const streaming = defineMethod(RouterService.method.streamGenerate);
  return {
    generate: (spec, options = {}) =>
      new Promise((resolve, reject) => {
        const call: ClientUnaryCall = client.makeUnaryRequest(
          unary.path,
          unary.requestSerialize,
          unary.responseDeserialize,
          create(GenerateRequestSchema, { spec }),
          makeMetadata(options),
          limitCall(options),
          (error, answer) => {
            stopListening();
            if (error) reject(readGrpcJsError(error));
            else if (answer !== undefined) resolve(answer);
          },
        );
        call.once("metadata", (metadata) => options.onHeader?.((name) => metadata.get(name)[0]?.toString()));
        const stopListening = onAbort(options.signal, () => call.cancel());
      }),
    async *stream(spec, options = {}) {
      const call = client.makeServerStreamRequest(
        streaming.path,
        streaming.requestSerialize,
        streaming.responseDeserialize,
        create(StreamGenerateRequestSchema, { spec }),
        makeMetadata(options),
        limitCall(options),
      );
      call.once("metadata", (metadata) => options.onHeader?.((name) => metadata.get(name)[0]?.toString()));
      const stopListening = onAbort(options.signal, () => call.cancel());
      try {
        yield* call;
      } catch (error) {
        throw readGrpcJsError(error as ServiceError);
      } finally {
        stopListening();
      }
    },
    close: () => client.close(),
  };
}

function openConnectCaller({
  transport,
  close,
}: ReturnType<(typeof testTransports)[number]["open"]>): RpcCaller {
  const client = createClient(RouterService, transport);
  const translate = ({ onHeader, ...options }: CallerOptions) => ({
    ...options,
    ...(onHeader && { onHeader: (headers: Headers) => onHeader((name) => headers.get(name) ?? undefined) }),
  });
  return {
    async generate(spec, options = {}) {
      try {
        return await client.generate({ spec }, translate(options));
      } catch (error) {
        throw readConnectError(error);
      }
    },
    async *stream(spec, options = {}) {
      try {
        yield* client.streamGenerate({ spec }, translate(options));
      } catch (error) {
        throw readConnectError(error);
      }
    },
    close,
  };
}

/** Awaits a failure. */
export async function catchCallerError(run: Promise<unknown>): Promise<CallerError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof CallerError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}

/** Reads a stream to its end. */
export async function readAll<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

function makeMetadata({ headers = {} }: CallerOptions): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function limitCall({ timeoutMs }: CallerOptions): { deadline?: number } {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function onAbort(signal: AbortSignal | undefined, fn: () => void): () => void {
  signal?.addEventListener("abort", fn, { once: true });
  return () => signal?.removeEventListener("abort", fn);
}

function readGrpcJsError(error: ServiceError): CallerError {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const details = Buffer.isBuffer(bytes) ? fromBinary(StatusSchema, bytes).details : [];
  refuseCanaries(
    "an error",
    `${error.details}${JSON.stringify(error.metadata?.toJSON())}${bytes?.toString("latin1")}`,
  );
  return new CallerError(status[error.code] ?? "", error.details, (desc) =>
    details.map((detail) => anyUnpack(detail, desc)).filter((detail) => detail !== undefined),
  );
}

function readConnectError(thrown: unknown): CallerError {
  const error = ConnectError.from(thrown);
  const encoded = error.details.map((detail) =>
    "value" in detail ? Buffer.from(detail.value as Uint8Array).toString("latin1") : "",
  );
  refuseCanaries("an error", `${error.message}${JSON.stringify([...error.metadata])}${encoded.join()}`);
  const name = Code[error.code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return new CallerError(name === "CANCELED" ? "CANCELLED" : name, error.rawMessage, (desc) =>
    error.findDetails(desc),
  );
}
