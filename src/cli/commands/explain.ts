import { create, toJsonString } from "@bufbuild/protobuf";
import {
  ExplainRouteRequestSchema,
  ExplainRouteResponseSchema,
  ModelService,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { renderDecision } from "../decision-table.ts";
import { exitCode } from "../exit-code.ts";
import { buildGenerationSpec, GENERATION_OPTIONS } from "../generation-spec.ts";
import { printable } from "../printable-text.ts";
import { readPrompt } from "../prompt-text.ts";
import { LOOKUP_FAILED, readTargetOption, resolveTarget } from "../target-option.ts";
import { chooseWidth } from "../terminal.ts";

/** `sluice explain`: how a request would be decided. */
export const explainCommand: LeafCommand = {
  kind: "leaf",
  name: "explain",
  summary: "tell how a request would be decided, without asking a model",
  operands: "[text…]",
  maxOperandCount: Number.POSITIVE_INFINITY,
  description:
    "Takes what `sluice generate` takes and lists every candidate for the first attempt: its score and the parts of it, or the filter that removed it. docs/routing.md explains the words. Nothing is sent to a model.",
  options: {
    ...GENERATION_OPTIONS,
    json: { type: "boolean", description: "print the response as JSON" },
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: 'sluice explain "Prove that 2 is prime"', meaning: "automatic choice" },
    {
      command: 'sluice explain --target group:fast_group --max-latency 2s "Hello"',
      meaning: "a group, within 2 s",
    },
  ],
  async run(args, terminal) {
    const typed = readTargetOption(args);
    const spec = await buildGenerationSpec(args, await readPrompt(args.operands, terminal));
    return withCallSession(args, terminal, async ({ client, limits, paint, report }) => {
      const target = await resolveTarget(typed, client, limits);
      if (!target.ok) return report(target.failure, LOOKUP_FAILED);
      if (target.value !== undefined) spec.target = target.value;
      const request = create(ExplainRouteRequestSchema, { spec });
      const result = await client.unary(ModelService.method.explainRoute, request, limits);
      if (!result.ok) return report(result.failure);
      const { stdout, env } = terminal;
      const { decision, errorReason, errorMessage } = result.value;
      if (args.has("json")) {
        await stdout.write(
          `${toJsonString(ExplainRouteResponseSchema, result.value, { prettySpaces: 2 })}\n`,
        );
        return exitCode("ok");
      }
      const lines = decision === undefined ? [] : renderDecision(decision, chooseWidth(stdout, env), paint);
      const error = errorReason === "" ? [] : ["", printable(`would fail: ${errorReason}: ${errorMessage}`)];
      await stdout.write(`${[...lines, ...error].join("\n")}\n`);
      return exitCode("ok");
    });
  },
};
