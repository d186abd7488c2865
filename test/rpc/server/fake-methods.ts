import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import {
  GetModelResponseSchema,
  ListModelsResponseSchema,
  type ModelSchema,
  ModelService,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import {
  RouterService,
  type StreamGenerateResponse,
  StreamGenerateResponseSchema,
} from "../../../gen/sluice/v1/router_service_pb.ts";
import {
  type RpcMethod,
  type StreamCall,
  serverStreaming,
  type UnaryCall,
  unary,
} from "../../../src/service/call.ts";

/** A text delta with a number. */
export function makeDelta(sequenceNumber: number, text = "x"): StreamGenerateResponse {
  return create(StreamGenerateResponseSchema, {
    sequenceNumber,
    attemptNumber: 1,
    event: { case: "textDelta", value: { text } },
  });
}

/** ListModels answers one model; GetModel and StreamGenerate do what a test says. */
export function makeMethods(behaviour: {
  readonly getModel?: (name: string, call: UnaryCall) => void;
  readonly stream?: (call: StreamCall<StreamGenerateResponse>) => void;
}): RpcMethod[] {
  const model: MessageInitShape<typeof ModelSchema> = { name: "glm" };
  return [
    unary(ModelService.method.listModels, (_request, call) => {
      call.respond(create(ListModelsResponseSchema, { models: [model] }));
    }),
    unary(ModelService.method.getModel, ({ name }, call) => {
      if (behaviour.getModel) behaviour.getModel(name, call);
      else call.respond(create(GetModelResponseSchema, { model: { name } }));
    }),
    serverStreaming(RouterService.method.streamGenerate, (_request, call) => {
      behaviour.stream?.(call);
    }),
  ];
}
