import { create, toJsonString } from "@bufbuild/protobuf";
import {
  GenerateRequestSchema,
  GenerateResponseSchema,
  RouterService,
} from "../../../gen/sluice/v1/router_service_pb.ts";
import { describeEarlyFinish, formatAnswer } from "../answer-summary.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { EXPLAIN_OPTIONS, printDecisions } from "../explain-option.ts";
import { buildGenerationSpec, GENERATION_OPTIONS } from "../generation-spec.ts";
import { printableLines } from "../printable-text.ts";
import { readPrompt } from "../prompt-text.ts";
import { SIMULATION_NOTICE } from "../simulation-notice.ts";
import { LOOKUP_FAILED, readTargetOption, resolveTarget } from "../target-option.ts";

/** `sluice generate`: text in, text out. */
export const generateCommand: LeafCommand = {
  kind: "leaf",
  name: "generate",
  summary: "ask a model and print its whole answer",
  operands: "[text…]",
  maxOperandCount: Number.POSITIVE_INFINITY,
  description:
    "Reads the prompt from standard input when there is no text or the text is `-`. Prints the answer on standard output and everything else on standard error.",
  options: {
    ...GENERATION_OPTIONS,
    json: { type: "boolean", description: "print the whole response as JSON" },
    verbose: {
      type: "boolean",
      short: "v",
      description: "tell model, usage, cost and attempts on standard error",
    },
    ...EXPLAIN_OPTIONS,
    ...CALL_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    { command: 'sluice generate "Why is the sky blue?"', meaning: "let Sluice choose the model" },
    {
      command: 'sluice generate --model glm-4.6-flash --timeout 30s "Say hello"',
      meaning: "ask one model, wait at most 30 s",
    },
    { command: 'sluice generate --system "Summarise." < report.txt', meaning: "prompt from a file" },
    { command: 'sluice generate --image chart.png "What does it show?"', meaning: "with a picture" },
  ],
  async run(args, terminal) {
    const typed = readTargetOption(args);
    const spec = await buildGenerationSpec(args, await readPrompt(args.operands, terminal));
    spec.explain = args.has("explain");
    return withCallSession(args, terminal, async ({ client, limits, report }) => {
      const target = await resolveTarget(typed, client, limits);
      if (!target.ok) return report(target.failure, LOOKUP_FAILED);
      if (target.value !== undefined) spec.target = target.value;
      const request = create(GenerateRequestSchema, { spec });
      const result = await client.unary(RouterService.method.generate, request, limits);
      if (!result.ok) return report(result.failure);
      const answer = result.value;
      const { stdout, stderr } = terminal;
      if (answer.simulated) await stderr.write(SIMULATION_NOTICE);
      if (args.has("json")) {
        await stdout.write(`${toJsonString(GenerateResponseSchema, answer, { prettySpaces: 2 })}\n`);
      } else {
        const text = stdout.isTty ? printableLines(answer.text) : answer.text;
        await stdout.write(text.endsWith("\n") ? text : `${text}\n`);
      }
      const early = describeEarlyFinish(answer.finishReason);
      if (early !== undefined) await stderr.write(`sluice: ${early}\n`);
      if (args.has("verbose")) await stderr.write(`${formatAnswer(answer, answer.requestId).join("\n")}\n`);
      await printDecisions(answer.decisions, args, terminal);
      return exitCode("ok");
    });
  },
};
