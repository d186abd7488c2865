import { durationMs } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import { GenerationStrategy, Priority, TaskType } from "../../../gen/sluice/v1/generation_pb.ts";
import { buildGenerationSpec, GENERATION_OPTIONS } from "../../../src/cli/generation-spec.ts";
import { parseArguments } from "../../../src/cli/parse-arguments.ts";
import { readTargetOption } from "../../../src/cli/target-option.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";

function build(...argv: string[]) {
  return buildGenerationSpec(parseArguments(argv, GENERATION_OPTIONS), "Hello");
}

async function complain(...argv: string[]): Promise<string> {
  try {
    await build(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "nothing wrong";
}

describe("the options of a generation", () => {
  it("say what to prefer, what to demand and what to weigh", async () => {
    const spec = await build(
      ...["--priority", "cost", "--task", "code-generation", "--strategy", "best-of-two"],
      ...["--max-latency", "1.5s", "--min-success", "95%", "--max-cost", "0.002"],
      ...["--weights", "quality=2, latency=0.5", "--thinking", "off"],
    );
    expect(spec.priority).to.equal(Priority.COST);
    expect(spec.thinking).to.equal(false);
    expect(spec.taskType).to.equal(TaskType.CODE_GENERATION);
    expect(spec.strategy).to.equal(GenerationStrategy.BEST_OF_TWO);
    expect(spec.weights).to.include({ quality: 2, latency: 0.5, cost: 0 });
    expect(spec.requirements).to.include({ minSuccessRatio: 0.95, maxCostNanoUsd: 2_000_000n });
    expect(
      spec.requirements?.maxLatencyDuration && durationMs(spec.requirements.maxLatencyDuration),
    ).to.equal(1_500);
  });

  it("leave out what was not said", async () => {
    const spec = await build();
    expect(spec.requirements).to.equal(undefined);
    expect(spec.weights).to.equal(undefined);
    expect(spec).to.not.have.property("thinking");
    expect(spec).to.include({ strategy: 0, priority: 0, taskType: 0, explain: false });
  });

  for (const [text, nanoUsd] of [
    ["0", 0n],
    ["$1", 1_000_000_000n],
    ["0.000000001", 1n],
    ["12.5", 12_500_000_000n],
  ] as const) {
    it(`take --max-cost ${text} for ${nanoUsd} nano-USD`, async () =>
      expect((await build("--max-cost", text)).requirements?.maxCostNanoUsd).to.equal(nanoUsd));
  }

  for (const [argv, message] of [
    [["--max-cost", "0.0000000001"], /at most 9 decimals/],
    [["--max-cost", "1e3"], /no amount of US dollars/],
    [["--max-cost", "10000000000"], /no amount of US dollars/],
    [["--min-success", "1.5"], /no share from 0 to 1/],
    [["--min-success", "101%"], /no share from 0 to 1/],
    [["--max-latency", "5"], /no length of time/],
    [["--strategy", "best"], /none of single, best_of_two/],
    [["--weights", "quality"], /no list of weights/],
    [["--weights", "speed=1"], /none of quality, latency, cost/],
    [["--weights", "cost=1,cost=2"], /names cost twice/],
    [["--weights", "cost=-1"], /must be 0 or more/],
    [["--weights", "cost=0"], /weighs nothing/],
  ] as const) {
    it(`refuse ${argv.join(" ")}`, async () => expect(await complain(...argv)).to.match(message));
  }
});

describe("the options of a target", () => {
  const read = (...argv: string[]) => readTargetOption(parseArguments(argv, GENERATION_OPTIONS));

  for (const [argv, target] of [
    [[], undefined],
    [["--model", "glm"], { kind: "model", name: "glm" }],
    [["--model", "group:glm"], { kind: "model", name: "group:glm" }],
    [["--target", "glm"], { kind: undefined, name: "glm" }],
    [["-t", "glm4:9b"], { kind: undefined, name: "glm4:9b" }],
    [["--target", "model:glm4:9b"], { kind: "model", name: "glm4:9b" }],
    [["--target", "group:fast.echelon1"], { kind: "group", name: "fast.echelon1" }],
    [["--target", "alias:default-chat"], { kind: "alias", name: "default-chat" }],
  ] as const) {
    it(`read "${argv.join(" ")}"`, () => expect(read(...argv)).to.deep.equal(target));
  }

  for (const argv of [
    ["--target", ""],
    ["--target", "group:"],
    ["--model", ""],
    ["--model", "a", "--target", "b"],
  ]) {
    it(`refuse "${argv.join(" ")}"`, () => expect(() => read(...argv)).to.throw(UsageError));
  }
});
