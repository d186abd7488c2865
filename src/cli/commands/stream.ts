import { create } from "@bufbuild/protobuf";
import { RouterService, StreamGenerateRequestSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import { describeEarlyFinish, formatAnswer } from "../answer-summary.ts";
import { CALL_OPTIONS, COMMON_OPTIONS, withCallSession } from "../call-options.ts";
import type { LeafCommand } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { EXPLAIN_OPTIONS, printDecisions } from "../explain-option.ts";
import { buildGenerationSpec, GENERATION_OPTIONS } from "../generation-spec.ts";
import { readPrompt } from "../prompt-text.ts";
import { StreamPrinter } from "../stream-printer.ts";
import { LOOKUP_FAILED, readTargetOption, resolveTarget } from "../target-option.ts";

/** `sluice stream`: text in, tokens out as they come. */
export const streamCommand: LeafCommand = {
  kind: "leaf",
  name: "stream",
  summary: "ask a model and print its answer as it comes",
  operands: "[text…]",
  maxOperandCount: Number.POSITIVE_INFINITY,
  description:
    "Reads the prompt from standard input when there is no text or the text is `-`. Ctrl-C cancels the call. An answer that breaks off ends with a line on standard error and an exit code other than 0.",
  options: {
    ...GENERATION_OPTIONS,
    json: { type: "boolean", description: "print every event as one line of JSON" },
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
    { command: 'sluice stream "Tell me a story"', meaning: "print the words as they come" },
    {
      command: 'sluice stream --priority speed --verbose "Hello"',
      meaning: "and tell who answered, at what cost",
    },
    { command: "git diff | sluice stream --task code-generation -s Review", meaning: "prompt from a pipe" },
  ],
  async run(args, terminal) {
    const typed = readTargetOption(args);
    const spec = await buildGenerationSpec(args, await readPrompt(args.operands, terminal));
    spec.explain = args.has("explain");
    return withCallSession(args, terminal, async ({ client, limits, report }) => {
      const target = await resolveTarget(typed, client, limits);
      if (!target.ok) return report(target.failure, LOOKUP_FAILED);
      if (target.value !== undefined) spec.target = target.value;
      const printer = new StreamPrinter(terminal, {
        isJson: args.has("json"),
        isVerbose: args.has("verbose"),
      });
      const request = create(StreamGenerateRequestSchema, { spec });
      const result = await client.stream(RouterService.method.streamGenerate, request, limits, (message) =>
        printer.print(message),
      );
      await printer.endLine();
      if (!result.ok) {
        const failure = {
          ...result.failure,
          requestId: result.failure.requestId ?? (printer.requestId || undefined),
        };
        return report(failure, printer.hasText ? "the answer broke off and is not complete" : undefined);
      }
      const { stderr } = terminal;
      const { finished } = printer;
      if (finished === undefined || printer.isGapped) {
        await stderr.write(
          `sluice: the answer is not complete: ${printer.isGapped ? "a part is missing in the middle" : "the stream ended without its closing event"}\n`,
        );
        return exitCode("failure");
      }
      const early = describeEarlyFinish(finished.finishReason);
      if (early !== undefined) await stderr.write(`sluice: ${early}\n`);
      if (args.has("verbose"))
        await stderr.write(`${formatAnswer(finished, printer.requestId).join("\n")}\n`);
      await printDecisions(finished.decisions, args, terminal);
      return exitCode("ok");
    });
  },
};
