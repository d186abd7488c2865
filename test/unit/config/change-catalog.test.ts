import { expect } from "chai";
import { expectConfig, listProblems, loadText } from "./memory-files.ts";

const ENV = { GLM_API_KEY: "id.secret" };
const load = (text: string) => loadText(text, { env: ENV });
const find = (text: string, name: string) =>
  expectConfig(load(text)).models.find((model) => model.name === name);

describe("catalog in the file", () => {
  it("changes what it names of a built-in model and nothing else", () => {
    const text =
      "catalog: { glm-4.6-air: { tiers: { speed: 3 }, tools: false, concurrency: 5, min_interval: 500ms, task_suitability: { analysis: 0.1 } } }";
    const before = find("", "glm-4.6-air");
    const after = find(text, "glm-4.6-air");
    expect(after?.tiers).to.deep.equal({ ...before?.tiers, speed: 3 });
    expect(after?.capabilities).to.deep.equal({ ...before?.capabilities, tools: false });
    expect(after?.taskSuitability).to.deep.equal({ ...before?.taskSuitability, analysis: 0.1 });
    expect(after?.deployments[0]).to.deep.equal({
      ...before?.deployments[0],
      capabilities: after?.capabilities,
      concurrencyLimit: 5,
      minIntervalMs: 500,
    });
    const { deploymentLimits, models } = expectConfig(load(text));
    expect(deploymentLimits.get("glm/glm-5")).to.deep.equal({ concurrencyLimit: 5 });
    expect(models).to.have.length(10);
  });

  it("changes whether a model thinks where nobody says", () => {
    const thinkingOf = (text: string) => find(text, "glm-4.6")?.deployments[0]?.thinking;
    expect([thinkingOf(""), thinkingOf("catalog: { glm-4.6: { thinking: true } }")]).to.deep.equal([
      false,
      true,
    ]);
  });

  it("puts another upstream model behind a name, without the price list of the old one", () => {
    const text =
      "catalog: { glm-4.6-air: { upstream_model: glm-4.5-air, price_usd_per_million_tokens: { input: 0.2, output: 1.1 } } }";
    const model = find(text, "glm-4.6-air");
    expect(model?.deployments[0]).to.include({
      upstreamModel: "glm-4.5-air",
      id: "glm/glm-4.5-air:glm-4.6-air",
    });
    expect(model?.deployments[0]).to.not.have.property("price");
    expect(model?.price).to.deep.equal({ inputNanoUsd: 200_000_000, outputNanoUsd: 1_100_000_000 });
  });

  it("leaves out what it disables, also for groups that name it", () => {
    expect(find("catalog: { glm-4.6: { disabled: true } }", "glm-4.6")).to.equal(undefined);
    const group = "groups: { g: { echelon1: { models: [glm-4.6] } } }";
    expect(listProblems(load(group))).to.deep.equal([]);
    expect(listProblems(load(`catalog: { glm-4.6: { disabled: true } }\n${group}`)).join()).to.include(
      "glm-4.6",
    );
  });

  it("refuses names that are not served, with the nearest that is", () => {
    expect(listProblems(load("catalog: { glm-4.6-fash: { disabled: true } }"))[0]).to.match(
      /catalog\.glm-4\.6-fash is no built-in model .* did you mean glm-4\.6-flash/,
    );
    expect(listProblems(load("catalog: { gpt-5.4: { disabled: true } }"))).to.have.length(1);
  });

  it("is told to do nothing beside models of the file's own", () => {
    const own =
      "providers: { s: { kind: simulator } }\nmodels: [{ name: m, context_window_tokens: 9, max_output_tokens: 9, deployments: [{ provider: s }] }]\ncatalog: { m: { disabled: true } }";
    const result = load(own);
    expect(expectConfig(result).models).to.have.length(1);
    expect(result.ok && result.notices.join()).to.include("it does nothing");
  });
});
