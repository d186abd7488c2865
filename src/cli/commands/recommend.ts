import { create, toJsonString } from "@bufbuild/protobuf";
import {
  type ModelRecommendation,
  ModelService,
  RecommendModelsRequestSchema,
  RecommendModelsResponseSchema,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { makeScoreColumns } from "../decision-table.ts";
import { exitCode } from "../exit-code.ts";
import { PREFERENCE_OPTIONS, readPreferences } from "../generation-spec.ts";
import { parseCountOption } from "../option-value.ts";
import { ABILITY_OPTIONS, LIMIT_OPTIONS, readRequirements } from "../requirement-options.ts";
import { chooseWidth } from "../terminal.ts";
import { type Column, renderTable } from "../text-table.ts";

const COLUMNS: readonly Column<ModelRecommendation>[] = [
  { heading: "MODEL", text: ({ model }) => model },
  ...makeScoreColumns<ModelRecommendation>(({ score }) => score),
  { heading: "DEPLOYMENT", text: ({ deployment }) => deployment },
];

/** `sluice recommend`: the best models for a kind of work, as they are now. */
export const recommendCommand: LeafCommand = {
  kind: "leaf",
  name: "recommend",
  summary: "rank the models for a kind of work, as they are now",
  operands: "",
  maxOperandCount: 0,
  description:
    "One row per model that could serve now, the best first, with its best deployment. Without --task the work is text generation.",
  options: {
    ...PREFERENCE_OPTIONS,
    ...ABILITY_OPTIONS,
    ...LIMIT_OPTIONS,
    limit: { type: "string", placeholder: "COUNT", description: "the most models to list, 1 to 100" },
    json: { type: "boolean", description: "print the response as JSON" },
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: "sluice recommend --task code-generation --priority quality", meaning: "for writing code" },
    { command: "sluice recommend --vision --max-cost 0.002 --limit 3", meaning: "for pictures, and cheap" },
  ],
  run(args, terminal) {
    const limit = args.text("limit");
    const request = create(RecommendModelsRequestSchema, {
      ...readPreferences(args),
      requirements: readRequirements(args),
      ...(limit === undefined ? {} : { maxModelCount: parseCountOption("limit", limit) }),
    });
    return withCallSession(args, terminal, async ({ client, limits, paint, report }) => {
      const result = await client.unary(ModelService.method.recommendModels, request, limits);
      if (!result.ok) return report(result.failure);
      const { stdout, stderr, env } = terminal;
      const { recommendations } = result.value;
      if (args.has("json")) {
        await stdout.write(
          `${toJsonString(RecommendModelsResponseSchema, result.value, { prettySpaces: 2 })}\n`,
        );
      } else if (recommendations.length === 0) {
        await stderr.write("sluice: no model can do that now; `sluice explain` tells what removes each\n");
      } else {
        const lines = renderTable(COLUMNS, recommendations, chooseWidth(stdout, env), paint);
        await stdout.write(`${lines.join("\n")}\n`);
      }
      return exitCode("ok");
    });
  },
};
