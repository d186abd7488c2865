/** The methods of ModelService. */

import { create } from "@bufbuild/protobuf";
import {
  DeploymentSchema,
  GetModelResponseSchema,
  ListModelsResponseSchema,
  ModelCapabilitiesSchema,
  type Model as ModelMessage,
  ModelPriceSchema,
  ModelSchema,
  ModelService,
  ModelTiersSchema,
  PriceListSchema,
} from "../../gen/sluice/v1/model_service_pb.ts";
import type { Model, ModelPrice } from "../domain/deployment.ts";
import type { PriceList } from "../domain/price-list.ts";
import { unknownModelError } from "../domain/unknown-model.ts";
import { type RpcMethod, unary } from "./call.ts";
import { invalidRequestError } from "./router-methods.ts";

/** ListModels and GetModel over a catalog. */
export function modelMethods(models: readonly Model[]): readonly RpcMethod[] {
  const encoded = models.map(encodeModel);
  return [
    unary(ModelService.method.listModels, (_request, call) => {
      call.respond(create(ListModelsResponseSchema, { models: encoded }));
    }),
    unary(ModelService.method.getModel, ({ name }, call) => {
      if (name === "") {
        return call.fail(invalidRequestError([{ field: "name", description: "must not be empty" }]));
      }
      const model = encoded.find((candidate) => candidate.name === name);
      if (model === undefined) return call.fail(unknownModelError(name));
      call.respond(create(GetModelResponseSchema, { model }));
    }),
  ];
}

function encodeModel(model: Model): ModelMessage {
  const { contextWindowTokens, maxOutputTokens, ...abilities } = model.capabilities;
  return create(ModelSchema, {
    name: model.name,
    description: model.description,
    capabilities: create(ModelCapabilitiesSchema, {
      ...abilities,
      contextWindowTokenCount: contextWindowTokens,
      maxOutputTokenCount: maxOutputTokens,
    }),
    tiers: create(ModelTiersSchema, { ...model.tiers }),
    deployments: model.deployments.map(({ id, provider, upstreamModel, simulated, price }) =>
      create(DeploymentSchema, {
        id,
        provider,
        upstreamModel,
        simulated,
        ...(price === undefined ? {} : { price: encodePriceList(price) }),
      }),
    ),
    ...(model.price === undefined ? {} : { price: encodePrice(model.price) }),
  });
}

function encodePrice(price: ModelPrice) {
  const { inputNanoUsd, outputNanoUsd, cachedInputNanoUsd } = price;
  return create(ModelPriceSchema, {
    inputNanoUsd: BigInt(inputNanoUsd),
    outputNanoUsd: BigInt(outputNanoUsd),
    ...(cachedInputNanoUsd === undefined ? {} : { cachedInputNanoUsd: BigInt(cachedInputNanoUsd) }),
  });
}

function encodePriceList({ currency, bands }: PriceList) {
  return create(PriceListSchema, {
    currencyCode: currency,
    bands: bands.map((band) => ({
      inputNano: BigInt(band.inputNano),
      outputNano: BigInt(band.outputNano),
      ...(band.cachedInputNano === undefined ? {} : { cachedInputNano: BigInt(band.cachedInputNano) }),
      ...(band.belowInputTokens === undefined ? {} : { belowInputTokenCount: BigInt(band.belowInputTokens) }),
      ...(band.belowOutputTokens === undefined
        ? {}
        : { belowOutputTokenCount: BigInt(band.belowOutputTokens) }),
    })),
  });
}
