import { create, type Message } from "@bufbuild/protobuf";
import {
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../gen/health/v1/health_pb.ts";
import type { RpcStatus } from "../../service/encode-error.ts";
import { describeCancel, type ServerStreamCall } from "../rpc/server-call.ts";
import type { ServerMethod } from "../rpc/server-method.ts";
import type { ServingState } from "./serving-state.ts";

const NOT_FOUND = 5;

/**
 * The methods of grpc.health.v1 (health.proto; List is gRFC A90). The empty name
 * stands for the whole server. All services share one state.
 */
export function makeHealthMethods(state: ServingState, serviceNames: readonly string[]): ServerMethod[] {
  const names = new Set(["", ...serviceNames]);
  return [
    {
      kind: "unary",
      method: Health.method.check,
      handle(request, call) {
        const { service } = request as HealthCheckRequest;
        if (names.has(service)) call.respond(makeResponse(state.serving));
        else call.failWithStatus(UNKNOWN_SERVICE);
      },
    },
    {
      kind: "unary",
      method: Health.method.list,
      handle(_request, call) {
        const statuses = Object.fromEntries([...names].map((name) => [name, makeResponse(state.serving)]));
        call.respond(create(HealthListResponseSchema, { statuses }));
      },
    },
    {
      kind: "server_streaming",
      method: Health.method.watch,
      handle(request, call) {
        watch(names.has((request as HealthCheckRequest).service) ? state : undefined, call);
      },
    },
  ];
}

const UNKNOWN_SERVICE: RpcStatus = {
  code: NOT_FOUND,
  message: "this server has no service of that name",
  details: [],
  trailers: {},
};

/** Answers at once and at every change. An unknown service, which may come later, holds the stream open too. */
function watch(state: ServingState | undefined, call: ServerStreamCall): void {
  const stop = state?.onChange((serving) => call.write([makeResponse(serving)]));
  call.onCancel((cause) => {
    stop?.();
    call.fail(describeCancel(cause));
  });
  call.write([
    state === undefined
      ? create(HealthCheckResponseSchema, { status: Status.SERVICE_UNKNOWN })
      : makeResponse(state.serving),
  ]);
}

function makeResponse(serving: boolean): HealthCheckResponse & Message {
  return create(HealthCheckResponseSchema, { status: serving ? Status.SERVING : Status.NOT_SERVING });
}
