import { expect } from "chai";
import type { ContextOverflow, GenerationRequest, Message } from "../../src/domain/request.ts";
import { type BenchChanges, RouterBench } from "../support/router-bench.ts";
import { sampleModel, sampleRequest } from "../support/sample-catalog.ts";
import { type Answer, driveRequest } from "./drive-request.ts";

const say = (role: "user" | "assistant", text: string): Message => ({
  role,
  parts: [{ kind: "text", text }],
});
const LONG = "word ".repeat(400);
const messages = [say("user", LONG), say("assistant", LONG), say("user", "and now?")];
const SMALL = { kind: "model", model: "small" } as const;

function makeBench(): RouterBench {
  return new RouterBench([
    sampleModel("small", { capabilities: { contextWindowTokens: 500 } }),
    sampleModel("large", { capabilities: { contextWindowTokens: 50_000 } }),
  ]);
}

const drive = (changes: Partial<GenerationRequest>, bench = makeBench()) =>
  driveRequest(bench, { messages, target: SMALL, ...changes }, () => "answers");

describe("a prompt that the target has no room for", () => {
  it("fails with the figures where nothing else is wished", async () => {
    const { consumer, models } = await drive({});
    expect(models).to.deep.equal([]);
    expect(consumer.error?.reason).to.equal("CONTEXT_LENGTH_EXCEEDED");
    expect(consumer.error?.message).to.match(
      /about \d{3,4} tokens, and the largest .* that of small, has 500/,
    );
    expect(consumer.error?.metadata).to.include({ model: "small", contextWindowTokens: "500" });
  });

  it("goes without its oldest turns, and the answer says so", async () => {
    const { consumer, models, sent } = await drive({ contextOverflow: "trim_oldest" });
    expect(models).to.deep.equal(["small"]);
    expect(sent[0]?.messages).to.deep.equal([messages[2]]);
    const [adjustment] = consumer.result?.adjustments ?? [];
    expect(adjustment).to.include({ field: "messages", reason: "context_window" });
    expect(adjustment?.asked).to.match(/^3 messages, about \d+ tokens$/);
    expect(adjustment?.used).to.match(/^1 messages, about \d+ tokens$/);
  });

  it("fails where even the last turn is too long", async () => {
    const { consumer } = await drive({
      contextOverflow: "trim_oldest",
      messages: [say("user", LONG + LONG)],
    });
    expect(consumer.error?.reason).to.equal("CONTEXT_LENGTH_EXCEEDED");
  });

  it("goes whole to a model with a larger window, and the answer says so", async () => {
    const { consumer, models, sent } = await drive({ contextOverflow: "larger_model" });
    expect(models).to.deep.equal(["large"]);
    expect(sent[0]?.messages).to.deep.equal(messages);
    expect(consumer.result?.adjustments).to.deep.equal([
      { field: "target", asked: "small", used: "auto", reason: "larger_model" },
    ]);
  });

  it("is left alone where somebody in the target has room, or lacks something else", async () => {
    for (const contextOverflow of ["trim_oldest", "larger_model"] as const) {
      const { consumer, models } = await drive({ contextOverflow, target: { kind: "automatic" } });
      expect(models).to.deep.equal(["large"]);
      expect(consumer.result?.adjustments).to.deep.equal([]);
      const seeing = { vision: true, tools: false, jsonOutput: false, longContext: false };
      const blind = await drive({ contextOverflow, requirements: seeing });
      expect(blind.consumer.error?.reason).to.equal("NO_MODEL_MEETS_REQUIREMENTS");
    }
  });
});

describe("a prompt that a provider finds too long although it seemed to fit", () => {
  const MIDDLE = { kind: "model", model: "middle" } as const;
  const makeTight = (changes: BenchChanges, windowTokens: number) =>
    new RouterBench(
      [
        sampleModel("middle", { capabilities: { contextWindowTokens: windowTokens } }),
        sampleModel("large", { capabilities: { contextWindowTokens: 50_000 } }),
      ],
      changes,
    );
  const driveTight = (
    contextOverflow: ContextOverflow,
    answers: readonly Answer[],
    changes: BenchChanges = {},
    history = messages.slice(0, 0),
  ) => {
    const left = [...answers];
    return driveRequest(
      makeTight(changes, history.length === 0 ? 1_500 : 10_000),
      { messages: [...history, ...messages], target: MIDDLE, contextOverflow },
      () => left.shift() ?? "answers",
    );
  };

  it("goes once more, without its oldest turns, and the answer says so", async () => {
    const { consumer, models, sent } = await driveTight("trim_oldest", ["context_length_exceeded"]);
    expect(models).to.deep.equal(["middle", "middle"]);
    expect(sent.map(({ messages: each }) => each.length)).to.deep.equal([3, 1]);
    expect(consumer.result?.adjustments).to.have.length(1);
    expect(consumer.result?.adjustments[0]).to.include({ field: "messages", reason: "context_window" });
    expect(consumer.result?.attempts.map(({ outcome }) => outcome)).to.deep.equal([
      "context_length_exceeded",
      "success",
    ]);
  });

  it("goes once more, to a model with a larger window, and the answer says so", async () => {
    const { consumer, models, sent } = await driveTight("larger_model", ["context_length_exceeded"]);
    expect(models).to.deep.equal(["middle", "large"]);
    expect(sent[1]?.messages).to.deep.equal(messages);
    expect(consumer.result?.adjustments).to.deep.equal([
      { field: "target", asked: "middle", used: "auto", reason: "larger_model" },
    ]);
  });

  it("fails where nothing else is wished, when it is still too long, and when no attempt is left", async () => {
    const turns = Array.from({ length: 6 }, () => messages.slice(0, 2)).flat();
    const refusals = Array<Answer>(9).fill("context_length_exceeded");
    for (const [policy, models, changes] of [
      ["fail", ["middle"], {}],
      ["trim_oldest", ["middle", "middle"], { maxAttempts: 9 }],
      ["larger_model", ["middle", "large"], { maxAttempts: 9 }],
      ["trim_oldest", ["middle"], { maxAttempts: 1 }],
    ] as const) {
      const driven = await driveTight(policy, refusals, changes);
      expect(driven.models, policy).to.deep.equal(models);
      expect(driven.consumer.error?.reason).to.equal("CONTEXT_LENGTH_EXCEEDED");
    }
    const tooLongAgain = await driveTight("trim_oldest", refusals, { maxAttempts: 9 }, turns);
    expect(tooLongAgain.models).to.deep.equal(["middle", "middle"]);
    const counts = tooLongAgain.sent.map(({ messages: each }) => each.length);
    expect(counts[0]).to.equal(15);
    expect(counts[1]).to.be.within(2, 14);
  });
});

describe("an explanation of a prompt that the target has no room for", () => {
  const explain = (contextOverflow: ContextOverflow) =>
    makeBench().routing.advisor.explain(sampleRequest({ messages, target: SMALL, contextOverflow }));

  it("follows the same wish", () => {
    expect(explain("fail")).to.have.nested.property("error.reason", "CONTEXT_LENGTH_EXCEEDED");
    for (const [policy, model, target] of [
      ["trim_oldest", "small", "small"],
      ["larger_model", "large", "auto"],
    ] as const) {
      const explained = explain(policy);
      expect(explained.error).to.equal(undefined);
      expect(explained).to.have.nested.property("decision.target", target);
      expect(explained).to.have.nested.property("decision.candidates[0].deployment.model", model);
    }
  });
});

describe("the estimate of a prompt", () => {
  it("is corrected by what the model counts, so that a prompt it has no room for is not sent again", async () => {
    const bench = new RouterBench([sampleModel("small", { capabilities: { contextWindowTokens: 3_000 } })]);
    const request = { messages: [say("user", LONG.repeat(3))], target: SMALL };
    const count = (inputTokens: number) =>
      driveRequest(bench, request, (_model, attempt) => {
        attempt.events({ kind: "usage", usage: { inputTokens, outputTokens: 1 } });
        return "answers";
      });
    expect((await count(2_800)).models).to.deep.equal(["small"]);
    await count(5_600);
    const { consumer, models } = await count(1);
    expect(models).to.deep.equal([]);
    expect(consumer.error?.reason).to.equal("CONTEXT_LENGTH_EXCEEDED");
  });

  it("is not corrected by a short prompt with tools, whose count says nothing of text", async () => {
    const bench = new RouterBench([sampleModel("small", { capabilities: { contextWindowTokens: 500 } })]);
    const tools = [{ name: "add", description: "" }];
    const short = { messages: [say("user", "Add one and two.")], tools, target: SMALL };
    const answered = await driveRequest(bench, short, (_model, attempt) => {
      attempt.events({ kind: "usage", usage: { inputTokens: 30, outputTokens: 1 } });
      return "answers";
    });
    expect(answered.models).to.deep.equal(["small"]);
    const { consumer } = await driveRequest(bench, { messages, target: SMALL }, () => "answers");
    expect(consumer.error?.reason).to.equal("CONTEXT_LENGTH_EXCEEDED");
  });

  it("is corrected when the provider refuses the prompt as too long", async () => {
    const bench = new RouterBench([sampleModel("small", { capabilities: { contextWindowTokens: 1_000 } })]);
    const request = { messages: [say("user", LONG)], target: SMALL };
    const refused = await driveRequest(bench, request, () => "context_length_exceeded");
    expect(refused.models).to.deep.equal(["small"]);
    const again = await driveRequest(bench, request, () => "answers");
    expect(again.models).to.deep.equal([]);
  });
});
