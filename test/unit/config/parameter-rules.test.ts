import { expect } from "chai";
import { findParameterRules } from "../../../src/config/parameter-rules.ts";
import { parseNumberRange } from "../../../src/config/values/number-range.ts";
import { ALL_PARAMETERS } from "../../../src/domain/parameter-rules.ts";
import { catalogYaml, expectConfig, listProblems, loadText } from "./memory-files.ts";

describe("the parameters that a deployment takes", () => {
  it("are what is usual for its kind", () => {
    expect(findParameterRules("openai", "gpt-4o-mini")).to.deep.equal(ALL_PARAMETERS);
    expect(findParameterRules("glm", "glm-4.7")).to.deep.include({
      temperature: { min: 0, max: 1 },
      temperatureDecimalCount: 2,
      topP: { min: 0.01, max: 1 },
      maxStopSequences: 1,
      forcedToolCalls: false,
    });
    expect(findParameterRules("anthropic", "claude-haiku-4-5")).to.deep.include({
      temperature: { min: 0, max: 1 },
      forcedToolCalls: true,
      speakerNames: false,
      outputLimitNeeded: true,
      formatEnforced: false,
    });
    expect(findParameterRules("ollama", "qwen3")).to.include({ forcedToolCalls: false, imageUrls: false });
  });

  it("have a say on thinking for Zhipu's models that can leave it, and where the file says so of a kind that has words for it", () => {
    const tellable = (kind: Parameters<typeof findParameterRules>[0], model: string, thinking?: boolean) =>
      findParameterRules(kind, model, { thinking }).thinking;
    for (const model of ["glm-4.5-air", "glm-4.6v", "glm-4.7", "glm-5", "glm-5v-turbo"]) {
      expect(tellable("glm", model), model).to.equal(true);
      expect(tellable("openrouter", `z-ai/${model}`), model).to.equal(true);
    }
    for (const model of ["glm-4-long", "glm-5.3"]) expect(tellable("glm", model), model).to.equal(false);
    expect(tellable("openrouter", "meta-llama/llama-3.2-1b-instruct")).to.equal(false);
    expect(tellable("ollama", "qwen3")).to.equal(false);
    expect(tellable("ollama", "qwen3", true)).to.equal(true);
    expect(tellable("glm", "glm-4.7", false)).to.equal(false);
    expect(tellable("openai", "gpt-4o", true)).to.equal(false);
    expect(findParameterRules("openai", "deepseek-v4-pro")).to.include({
      thinking: true,
      thinkingWithTools: false,
    });
    expect(tellable("openai", "deepseek-chat")).to.equal(false);
  });

  it("are no sampling for OpenAI's models that think first, wherever they are", () => {
    for (const [kind, model] of [
      ["openai", "o3"],
      ["openai", "o4-mini"],
      ["openai", "gpt-5.4"],
      ["openrouter", "openai/gpt-5-mini"],
    ] as const) {
      expect(findParameterRules(kind, model), model).to.include({ temperature: undefined, topP: undefined });
    }
    for (const model of ["gpt-5-chat-latest", "gpt-4o", "my-o3"]) {
      expect(findParameterRules("openai", model), model).to.deep.equal(ALL_PARAMETERS);
    }
  });

  it("are no sampling for Anthropic's from Opus 4.7 on, and one of the two for those since 4.1", () => {
    const fixed = [
      "claude-opus-4-7",
      "claude-opus-4-8-20260801",
      "claude-sonnet-5",
      "claude-haiku-5-20270101",
    ];
    for (const model of fixed) {
      expect(findParameterRules("anthropic", model), model).to.include({
        temperature: undefined,
        topP: undefined,
      });
    }
    expect(findParameterRules("openrouter", "anthropic/claude-opus-4.8").temperature).to.equal(undefined);
    for (const model of ["claude-haiku-4-5", "claude-opus-4-1-20250805", "claude-sonnet-4-6"]) {
      const { temperature, temperatureWithTopP } = findParameterRules("anthropic", model);
      expect({ temperature, temperatureWithTopP }, model).to.deep.equal({
        temperature: { min: 0, max: 1 },
        temperatureWithTopP: false,
      });
    }
    for (const model of ["claude-opus-4-20250514", "claude-3-5-haiku-20241022", "claude-3-7-sonnet-latest"]) {
      expect(findParameterRules("anthropic", model).temperatureWithTopP, model).to.equal(true);
    }
    expect(findParameterRules("openai", "claude-haiku-4-5").temperatureWithTopP).to.equal(true);
  });

  it("are no stop sequences for OpenAI's models that refuse them", () => {
    for (const model of ["o3", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5.4-mini", "gpt-5-2025-08-07"]) {
      expect(findParameterRules("openai", model).maxStopSequences, model).to.equal(0);
    }
    expect(findParameterRules("openrouter", "openai/gpt-5-nano").maxStopSequences).to.equal(0);
    for (const model of ["gpt-4o", "o1", "gpt-5.5", "gpt-5.10", "gpt-5-chat-latest"]) {
      expect(findParameterRules("openai", model).maxStopSequences, model).to.equal(4);
    }
  });

  it("are what the file says", () => {
    const deployment =
      "parameters: { temperature: none, top_p: 0.1..0.9, stop_sequences: 2, image_urls: false }";
    const [model] = expectConfig(loadText(catalogYaml({ deployment }))).models;
    expect(model?.deployments[0]?.parameters).to.deep.equal({
      ...ALL_PARAMETERS,
      temperature: undefined,
      topP: { min: 0.1, max: 0.9 },
      maxStopSequences: 2,
      imageUrls: false,
    });
  });

  it("are refused with what would be right", () => {
    const deployment = "parameters: { temperature: 1..0, top_p: half, stop_sequences: 9 }";
    const text = listProblems(loadText(catalogYaml({ deployment }))).join("\n");
    expect(text).to.include("parameters.temperature ends before it begins");
    expect(text).to.include("0..1, or none");
    expect(text).to.include("parameters.top_p");
    expect(text).to.include("a whole number from 0 to 4");
  });

  it("have ranges with decimals at both ends", () => {
    expect(parseNumberRange("0.25..1.5")).to.deep.equal({ ok: true, value: { min: 0.25, max: 1.5 } });
    for (const text of ["", "..1", "1..", "1...2", "-1..1", "0..1e3"]) {
      expect(parseNumberRange(text).ok, text).to.equal(false);
    }
  });
});
