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
    });
    expect(findParameterRules("ollama", "qwen3")).to.include({ forcedToolCalls: false, imageUrls: false });
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
