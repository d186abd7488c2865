/** The service that the conformance runner calls. What each method does is told by its requests (service.proto). */

import { setTimeout as delay } from "node:timers/promises";
import { create, createRegistry, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
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
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "../.cache/conformance/gen/connectrpc/conformance/v1/service_pb.ts";
import type { ExtraCall, ExtraRoutes } from "../src/server/connect/extra-call.ts";
import { addHeaders, listHeaders, makeError } from "./conformance-values.ts";

/** What its messages may hold in an Any has to be known for JSON. */
const OPTIONS = { jsonOptions: { registry: createRegistry(file_connectrpc_conformance_v1_service) } };

/** Registers every method but Unimplemented, which must not be. */
export const registerConformanceService: ExtraRoutes = (router, describe) => {
  const service: Partial<ServiceImpl<typeof ConformanceService>> = {
    async unary(request, context) {
      const received = [anyPack(UnaryRequestSchema, request)];
      return { payload: await answerUnary(request.responseDefinition, received, context, describe(context)) };
    },
    async idempotentUnary(request, context) {
      const received = [anyPack(IdempotentUnaryRequestSchema, request)];
      return { payload: await answerUnary(request.responseDefinition, received, context, describe(context)) };
    },
    async clientStream(requests, context) {
      const call = describe(context);
      const received: Any[] = [];
      let definition: UnaryResponseDefinition | undefined;
      for await (const request of requests) {
        if (received.length === 0) definition = request.responseDefinition;
        received.push(anyPack(ClientStreamRequestSchema, request));
      }
      return { payload: await answerUnary(definition, received, context, call) };
    },
    async *serverStream(request, context) {
      const call = describe(context);
      const definition = request.responseDefinition;
      const info = describeRequest(context, call, [anyPack(ServerStreamRequestSchema, request)]);
      begin(definition, context);
      for (const [index, data] of (definition?.responseData ?? []).entries()) {
        await wait(definition?.responseDelayMs, call);
        yield { payload: { data, ...(index === 0 ? { requestInfo: info } : {}) } };
      }
      endWithError(definition, info);
    },
    bidiStream: (requests, context) => answerBidi(requests, context, describe(context)),
  };
  router.service(ConformanceService, service, OPTIONS);
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
