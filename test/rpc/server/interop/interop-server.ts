import { create } from "@bufbuild/protobuf";
import type { GenerationSpec } from "../../../../gen/sluice/v1/generation_pb.ts";
import {
  GetModelResponseSchema,
  ListModelsResponseSchema,
  ModelService,
} from "../../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../../../gen/sluice/v1/router_service_pb.ts";
import type { RouteError } from "../../../../src/domain/errors.ts";
import { type Call, type RpcMethod, serverStreaming, unary } from "../../../../src/service/call.ts";
import { startTestServer, type TestServer } from "../../../support/start-test-server.ts";
import { makeDelta } from "../fake-methods.ts";

/** Sizes of the answers in gRPC's own interop cases (grpc/grpc doc/interop-test-descriptions.md). */
export const STREAM_SIZES = [31_415, 9, 2_653, 58_979] as const;

/** The message of the special_status_message case. */
export const SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

/** The error of `status` and `special`; undefined for every other behaviour. */
function findFailure(behaviour: string): RouteError | undefined {
  if (behaviour === "status") return { reason: "MODEL_NOT_FOUND", message: "test status message" };
  if (behaviour === "special") return { reason: "MODEL_NOT_FOUND", message: SPECIAL_MESSAGE };
  return undefined;
}

/** Never answers; ends when it is told to. */
function sleep(call: Call): void {
  call.onCancel(() => call.fail({ reason: "DEADLINE_EXCEEDED", message: "the call was stopped" }));
}

function readBehaviour(spec: GenerationSpec | undefined): string {
  const part = spec?.messages[0]?.parts[0]?.part;
  return part?.case === "text" ? part.value : "";
}

const methods: readonly RpcMethod[] = [
  unary(ModelService.method.listModels, (_request, call) => call.respond(create(ListModelsResponseSchema))),
  unary(ModelService.method.getModel, ({ name }, call) => {
    const failure = findFailure(name);
    if (failure !== undefined) call.fail(failure);
    else if (name === "sleep") sleep(call);
    else call.respond(create(GetModelResponseSchema, { model: { name } }));
  }),
  serverStreaming(RouterService.method.streamGenerate, ({ spec }, call) => {
    const behaviour = readBehaviour(spec);
    const failure = findFailure(behaviour);
    if (failure !== undefined) {
      call.fail(failure);
      return;
    }
    if (behaviour === "sleep" || behaviour === "sleep after one") {
      if (behaviour !== "sleep") call.write([makeDelta(0)]);
      sleep(call);
      return;
    }
    if (behaviour !== "empty") {
      call.write(STREAM_SIZES.map((size, index) => makeDelta(index, "x".repeat(size))));
    }
    call.end();
  }),
];

/** A server that does what the cases need. */
export function startInteropServer(): Promise<TestServer> {
  return startTestServer({ methods, config: { maxRequestBytes: 1024 * 1024 } });
}
