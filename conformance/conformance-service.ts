/** The service that the conformance runner calls. What each method does is told by its requests (service.proto). */

import { setTimeout as delay } from "node:timers/promises";
import { create, createRegistry, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import {
  BidiStreamRequestSchema,
  type BidiStreamResponse,
  BidiStreamResponseSchema,
  ClientStreamRequestSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  ConformancePayloadSchema,
  ConformanceService,
  file_connectrpc_conformance_v1_service,
  IdempotentUnaryRequestSchema,
  type ServerStreamRequest,
  ServerStreamRequestSchema,
  ServerStreamResponseSchema,
  type StreamResponseDefinition,
  type UnaryRequest,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
  UnaryResponseSchema,
} from "../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.ts";
import type { ExtraCall, ExtraRoutes } from "../src/server/connect/extra-call.ts";
import {
  describeCancel,
  type MetadataCall,
  type ServerStreamCall,
  type ServerUnaryCall,
} from "../src/server/rpc/server-call.ts";
import type { ServerMethod } from "../src/server/rpc/server-method.ts";
import type { Call } from "../src/service/call.ts";
import { addHeaders, listHeaders, makeError, makeStatus } from "./conformance-values.ts";

/** What its messages may hold in an Any has to be known for JSON. */
export const jsonOptions = { registry: createRegistry(file_connectrpc_conformance_v1_service) };
const OPTIONS = { jsonOptions };

/** Unary and ServerStream, in the form of Sluice's own methods: plain gRPC calls of them take the way that Sluice's own take. */
export const conformanceMethods: readonly ServerMethod[] = [
  {
    kind: "unary",
    method: ConformanceService.method.unary,
    handle: (request, call) => void serveUnary(request as UnaryRequest, call),
  },
  {
    kind: "server_streaming",
    method: ConformanceService.method.serverStream,
    handle: (request, call) => void serveStream(request as ServerStreamRequest, call),
  },
];

async function serveUnary(request: UnaryRequest, call: ServerUnaryCall): Promise<void> {
  const { responseDefinition: definition } = request;
  const requestInfo = describeCall(call, anyPack(UnaryRequestSchema, request));
  addMetadata(definition, call);
  if (!(await waitInCall(definition?.responseDelayMs, call))) return;
  const { response } = definition ?? {};
  if (response?.case === "error") {
    call.failWithStatus(makeStatus(response.value, requestInfo));
  } else {
    const data = response?.case === "responseData" ? response.value : new Uint8Array();
    call.respond(create(UnaryResponseSchema, { payload: { data, requestInfo } }));
  }
}

async function serveStream(request: ServerStreamRequest, call: ServerStreamCall): Promise<void> {
  const { responseDefinition: definition } = request;
  const requestInfo = describeCall(call, anyPack(ServerStreamRequestSchema, request));
  addMetadata(definition, call);
  const data = definition?.responseData ?? [];
  for (const [index, item] of data.entries()) {
    if (!(await waitInCall(definition?.responseDelayMs, call))) return;
    const payload = { data: item, ...(index === 0 ? { requestInfo } : {}) };
    call.write([create(ServerStreamResponseSchema, { payload })]);
  }
  if (definition?.error === undefined) call.end();
  // The request is repeated in the error only where no answer could say it.
  else call.failWithStatus(makeStatus(definition.error, data.length === 0 ? requestInfo : undefined));
}

function describeCall({ metadata }: MetadataCall, request: Any): ConformancePayload_RequestInfo {
  const { requestHeaders, callerTimeoutMs } = metadata;
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: listHeaders(requestHeaders),
    requests: [request],
    ...(callerTimeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.round(callerTimeoutMs)) }),
  });
}

function addMetadata(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
  { metadata }: MetadataCall,
): void {
  for (const { name, value } of definition?.responseHeaders ?? [])
    for (const item of value) metadata.addHeader(name, item);
  for (const { name, value } of definition?.responseTrailers ?? [])
    for (const item of value) metadata.addTrailer(name, item);
}

/** False, with the call ended, when it was told to stop before the time was over. */
async function waitInCall(delayMs: number | undefined, call: Call): Promise<boolean> {
  if (delayMs !== undefined && delayMs > 0) {
    const stop = new AbortController();
    const stopListening = call.onCancel(() => stop.abort());
    await delay(delayMs, undefined, { signal: stop.signal }).catch(() => {});
    stopListening();
  }
  if (call.cancelled === undefined) return true;
  call.fail(describeCancel(call.cancelled));
  return false;
}

/** Registers the methods that stream from the caller, and the one that looks at its own URL. Unimplemented must not be there. */
export const registerConformanceService: ExtraRoutes = (router, describe) => {
  const { idempotentUnary, clientStream, bidiStream } = ConformanceService.method;
  router.rpc(
    idempotentUnary,
    async (request, context) => {
      const received = [anyPack(IdempotentUnaryRequestSchema, request)];
      return { payload: await answerUnary(request.responseDefinition, received, context, describe(context)) };
    },
    OPTIONS,
  );
  router.rpc(
    clientStream,
    async (requests, context) => {
      const call = describe(context);
      const received: Any[] = [];
      let definition: UnaryResponseDefinition | undefined;
      for await (const request of requests) {
        if (received.length === 0) definition = request.responseDefinition;
        received.push(anyPack(ClientStreamRequestSchema, request));
      }
      return { payload: await answerUnary(definition, received, context, call) };
    },
    OPTIONS,
  );
  router.rpc(bidiStream, (requests, context) => answerBidi(requests, context, describe(context)), OPTIONS);
};

async function* answerBidi(
  requests: AsyncIterable<MessageShape<typeof BidiStreamRequestSchema>>,
  context: HandlerContext,
  call: ExtraCall,
): AsyncGenerator<BidiStreamResponse> {
  let definition: StreamResponseDefinition | undefined;
  let isFirst = true;
  let isFullDuplex = false;
  let received: Any[] = [];
  let sentCount = 0;
  const respond = async (requestInfo: ConformancePayload_RequestInfo | undefined) => {
    await wait(definition?.responseDelayMs, call);
    const data = definition?.responseData[sentCount++] ?? new Uint8Array();
    return create(BidiStreamResponseSchema, { payload: { data, ...(requestInfo && { requestInfo }) } });
  };
  for await (const request of requests) {
    received.push(anyPack(BidiStreamRequestSchema, request));
    if (isFirst) {
      isFirst = false;
      isFullDuplex = request.fullDuplex;
      definition = request.responseDefinition;
      begin(definition, context);
    }
    if (!isFullDuplex) continue;
    if (sentCount >= (definition?.responseData.length ?? 0)) break;
    yield await respond(
      sentCount === 0
        ? describeRequest(context, call, received)
        : create(ConformancePayload_RequestInfoSchema, { requests: received }),
    );
    received = [];
  }
  const info = describeRequest(context, call, received);
  while (sentCount < (definition?.responseData.length ?? 0))
    yield await respond(sentCount === 0 ? info : undefined);
  endWithError(definition, sentCount === 0 ? info : undefined);
}

async function answerUnary(
  definition: UnaryResponseDefinition | undefined,
  requests: readonly Any[],
  context: HandlerContext,
  call: ExtraCall,
) {
  const requestInfo = describeRequest(context, call, requests);
  begin(definition, context);
  await wait(definition?.responseDelayMs, call);
  const { response } = definition ?? {};
  if (response?.case === "error") throw makeError(response.value, requestInfo);
  const data = response?.case === "responseData" ? response.value : new Uint8Array();
  return create(ConformancePayloadSchema, { data, requestInfo });
}

function begin(
  definition: UnaryResponseDefinition | StreamResponseDefinition | undefined,
  context: HandlerContext,
): void {
  addHeaders(definition?.responseHeaders ?? [], context.responseHeader);
  addHeaders(definition?.responseTrailers ?? [], context.responseTrailer);
}

/** The request is repeated in the error only where no answer could say it. */
function endWithError(
  definition: StreamResponseDefinition | undefined,
  info: ConformancePayload_RequestInfo | undefined,
): void {
  if (definition?.error === undefined) return;
  throw makeError(definition.error, definition.responseData.length === 0 ? info : undefined);
}

async function wait(delayMs: number | undefined, call: ExtraCall): Promise<void> {
  if (delayMs === undefined || delayMs === 0) return;
  try {
    await delay(delayMs, undefined, { signal: call.signal });
  } catch {
    throw ConnectError.from(call.signal.reason);
  }
}

function describeRequest(
  context: HandlerContext,
  call: ExtraCall,
  requests: readonly Any[],
): ConformancePayload_RequestInfo {
  const query = new URL(context.url).searchParams;
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: listHeaders(context.requestHeader),
    requests: [...requests],
    ...(call.callerTimeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.round(call.callerTimeoutMs)) }),
    ...(context.requestMethod === "GET" ? { connectGetInfo: { queryParams: listHeaders(query) } } : {}),
  });
}
