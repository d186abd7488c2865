import { create, toJsonString } from "@bufbuild/protobuf";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ListModelsRequestSchema,
  ListModelsResponseSchema,
  ModelService,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { renderModel, renderModels } from "../models-table.ts";
import { chooseWidth } from "../terminal.ts";

const PRETTY = { prettySpaces: 2 };

/** `sluice models`: the catalog. */
export const modelsCommand: LeafCommand = {
  kind: "leaf",
  name: "models",
  summary: "list the models, or tell all about one",
  operands: "[name]",
  maxOperandCount: 1,
  description:
    "Prices are in US dollars per million tokens; one model in full shows its deployments' own lists, such as yuan. Tiers go from 1 to 5.",
  options: {
    json: { type: "boolean", description: "print the response as JSON" },
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice models", meaning: "all models of the server's catalog" },
    { command: "sluice models glm-4.6-flash", meaning: "one model in full" },
  ],
  run: (args, terminal) =>
    withCallSession(args, terminal, async ({ client, limits, paint, report }) => {
      const { stdout, env } = terminal;
      const [name] = args.operands;
      if (name !== undefined) {
        const request = create(GetModelRequestSchema, { name });
        const result = await client.unary(ModelService.method.getModel, request, limits);
        if (!result.ok) return report(result.failure);
        const { model } = result.value;
        if (args.has("json")) {
          await stdout.write(`${toJsonString(GetModelResponseSchema, result.value, PRETTY)}\n`);
        } else if (model !== undefined) {
          await stdout.write(`${renderModel(model, paint).join("\n")}\n`);
        }
        return exitCode("ok");
      }
      const result = await client.unary(
        ModelService.method.listModels,
        create(ListModelsRequestSchema),
        limits,
      );
      if (!result.ok) return report(result.failure);
      const lines = args.has("json")
        ? [toJsonString(ListModelsResponseSchema, result.value, PRETTY)]
        : renderModels(result.value.models, chooseWidth(stdout, env), paint);
      await stdout.write(`${lines.join("\n")}\n`);
      return exitCode("ok");
    }),
};
