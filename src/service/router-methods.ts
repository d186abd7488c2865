/** The methods of RouterService. */

import {
  type GenerateRequest,
  type GenerateResponse,
  RouterService,
  type StreamGenerateRequest,
  type StreamGenerateResponse,
} from "../../gen/sluice/v1/router_service_pb.ts";
import type { FieldViolation, RouteError } from "../domain/errors.ts";
import type { GenerationEvent } from "../domain/event.ts";
import { collectGeneration } from "../router/collect-generation.ts";
import type { RouteConsumer, RouteHandle, Router } from "../router/route.ts";
import { type RpcMethod, type StreamCall, serverStreaming, type UnaryCall, unary } from "./call.ts";
import { decodeRequest } from "./decode-request.ts";
import {
  encodeAnswer,
  encodeDelta,
  encodeFinished,
  encodeStarted,
  encodeStreamEvent,
  encodeSwitched,
} from "./encode-event.ts";
import { encodeStreamResponse } from "./encode-stream-response.ts";

/** Generate and StreamGenerate over a router. */
export function generationMethods(router: Router): readonly RpcMethod[] {
  return [
    unary(RouterService.method.generate, (request, call) => generate(router, request, call)),
    serverStreaming(
      RouterService.method.streamGenerate,
      (request, call) => streamGenerate(router, request, call),
      encodeStreamResponse,
    ),
  ];
}

function generate(router: Router, { spec }: GenerateRequest, call: UnaryCall<GenerateResponse>): void {
  const decoded = decodeRequest(spec);
  if (!decoded.ok) return call.fail(invalidRequestError(decoded.violations));
  const consumer = collectGeneration({
    onAnswer: (answer, result) => call.respond(encodeAnswer(call.requestId, answer, result)),
    onFailed: (error) => call.fail(error),
  });
  linkCancel(call, router.route(decoded.request, call, consumer));
}

function streamGenerate(
  router: Router,
  { spec }: StreamGenerateRequest,
  call: StreamCall<StreamGenerateResponse>,
): void {
  const decoded = decodeRequest(spec);
  if (!decoded.ok) return call.fail(invalidRequestError(decoded.violations));
  const handle = router.route(decoded.request, call, streamTo(call));
  call.onDrain(() => handle.resume());
  linkCancel(call, handle);
}

/** Numbers the events of one stream and writes each batch as one. */
function streamTo(call: StreamCall<StreamGenerateResponse>): RouteConsumer {
  let sequenceNumber = 0;
  return {
    onStarted(deployment) {
      call.write([encodeStreamEvent(sequenceNumber++, 1, encodeStarted(call.requestId, deployment))]);
    },
    onSwitched(attemptNumber, deployment, previous) {
      const event = encodeSwitched(deployment, previous);
      call.write([encodeStreamEvent(sequenceNumber++, attemptNumber, event)]);
    },
    onEvents(attemptNumber, batch: readonly GenerationEvent[]) {
      return call.write(
        batch.map((event) => encodeStreamEvent(sequenceNumber++, attemptNumber, encodeDelta(event))),
      );
    },
    onFinished(result) {
      call.write([encodeStreamEvent(sequenceNumber++, result.attemptNumber, encodeFinished(result))]);
      call.end();
    },
    onFailed: (error) => call.fail(error),
  };
}

/** The router watches the deadline itself; what only the transport knows is passed on. */
function linkCancel(
  call: UnaryCall<GenerateResponse> | StreamCall<StreamGenerateResponse>,
  handle: RouteHandle,
): void {
  call.onCancel((cause) => {
    if (cause !== "deadline") handle.cancel(cause);
  });
}

/** Wrong fields, every one of them named. */
export function invalidRequestError(violations: readonly FieldViolation[]): RouteError {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : "";
  return {
    reason: "INVALID_REQUEST",
    message: first === undefined ? "the request is not valid" : `${first.field} ${first.description}${more}`,
    violations,
  };
}
