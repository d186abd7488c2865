import { expect } from "chai";

import { builtInConfig } from "../../../src/config/built-in-config.ts";
import type { OpenAiProviderConfig } from "../../../src/config/config.ts";
import { expectConfig, listProblems, loadText } from "./memory-files.ts";

const BIGMODEL = "https://open.bigmodel.cn/api/paas/v4";
const ZAI = "https://api.z.ai/api/paas/v4";

describe("the built-in configuration", () => {
  /** Name, upstream model, window, longest answer, USD in and out, thinking. */
  const models: [
    string,
    string,
    number,
    number,
    number | undefined,
    number | undefined,
    boolean | undefined,
  ][] = [
    ["glm-4.6-flash", "glm-4.7-flash", 200_000, 131_072, 0, 0, false],
    ["glm-4.6-flash-plus", "glm-4.7-flashx", 200_000, 131_072, 0.07, 0.4, false],
    ["glm-4.6", "glm-4.6", 204_800, 131_072, 0.6, 2.2, false],
    ["glm-4.6-plus", "glm-4.7", 204_800, 131_072, 0.6, 2.2, false],
    ["glm-4.6-air", "glm-5", 204_800, 131_072, 1, 3.2, true],
    ["glm-4.6-air-plus", "glm-5.1", 200_000, 131_072, 1.4, 4.4, true],
    ["glm-4.6-long", "glm-4-long", 1_000_000, 4_095, undefined, undefined, undefined],
    ["glm-4.6-long-plus", "glm-5.2", 1_000_000, 131_072, 1.4, 4.4, false],
    ["glm-4.6-vision", "glm-4.6v", 128_000, 32_768, 0.3, 0.9, false],
    ["glm-4.6-vision-plus", "glm-5v-turbo", 200_000, 131_072, 1.2, 4, true],
  ];

  it("has the ten GLM models with their facts", () => {
    const rows = builtInConfig({}).models.map(({ name, capabilities, price, deployments }) => {
      const [deployment] = deployments;
      const usd = (nanoUsd: number | undefined) => (nanoUsd === undefined ? undefined : nanoUsd / 1e9);
      return [
        name,
        deployment?.upstreamModel,
        capabilities.contextWindowTokens,
        capabilities.maxOutputTokens,
        usd(price?.inputNanoUsd),
        usd(price?.outputNanoUsd),
        deployment?.thinking,
      ];
    });
    expect(rows).to.deep.equal(models);
  });

  it("has vision only where the model sees, and values its models keep", () => {
    for (const model of builtInConfig({}).models) {
      expect(model.capabilities.vision, model.name).to.equal(model.name.includes("vision"));
      expect(model.capabilities.jsonSchema, model.name).to.equal(false);
      for (const tier of Object.values(model.tiers)) expect(tier).to.be.within(1, 5);
      for (const share of Object.values(model.taskSuitability)) expect(share).to.be.within(0, 1);
    }
  });

  it("runs on the simulator without a key", () => {
    for (const env of [{}, { GLM_API_KEY: "" }, { GLM_API_KEY: " " }]) {
      const { providers, models: simulated } = builtInConfig(env);
      expect(providers.map(({ kind, name }) => [kind, name])).to.deep.equal([["simulator", "simulator"]]);
      for (const { deployments } of simulated) {
        const [deployment] = deployments;
        expect(deployment).to.include({ simulated: true, id: `simulator/${deployment?.upstreamModel}` });
        expect(deployment?.concurrencyLimit).to.equal(undefined);
      }
    }
  });

  const keys: [string, Record<string, string>, string][] = [
    ["a key with a dot", { GLM_API_KEY: "id.secret" }, BIGMODEL],
    ["a key without a dot", { GLM_API_KEY: "secret" }, ZAI],
    [
      "GLM_BASE_URL",
      { GLM_API_KEY: "id.secret", GLM_BASE_URL: "https://proxy.example/v4/" },
      "https://proxy.example/v4",
    ],
    ["an empty GLM_BASE_URL", { GLM_API_KEY: "id.secret", GLM_BASE_URL: "" }, BIGMODEL],
  ];
  for (const [what, env, url] of keys) {
    it(`calls ${url} with ${what}`, () => {
      const result = loadText("", { env });
      const { providers, models: real, deploymentLimits } = expectConfig(result);
      const provider = providers[0] as OpenAiProviderConfig;
      expect(provider).to.include({ kind: "glm", name: "glm", baseUrl: url });
      expect(provider.apiKey?.reveal()).to.equal(env.GLM_API_KEY);
      expect(result.ok && result.notices).to.deep.equal([]);
      const deployments = real.flatMap((model) => model.deployments);
      expect(new Set(deployments.map(({ id }) => id)).size).to.equal(10);
      for (const deployment of deployments) {
        expect(deployment).to.include({ provider: "glm", simulated: false, concurrencyLimit: 1 });
        expect(deploymentLimits.get(deployment.id)).to.deep.equal({ concurrencyLimit: 1 });
      }
    });
  }

  it("serves glm-4.6-long on Z.ai with what exists there", () => {
    const long = (env: Record<string, string>) =>
      builtInConfig(env).models.find(({ name }) => name === "glm-4.6-long");
    const onZai = long({ GLM_API_KEY: "secret" });
    expect(onZai?.deployments[0]).to.include({
      upstreamModel: "glm-4.7-flashx",
      id: "glm/glm-4.7-flashx:long",
    });
    expect(onZai?.capabilities.contextWindowTokens).to.equal(200_000);
    expect(onZai?.price?.inputNanoUsd).to.equal(70_000_000);
    const coding = { GLM_API_KEY: "id.secret", GLM_BASE_URL: "https://api.z.ai/api/coding/paas/v4" };
    expect(long(coding)?.deployments[0]?.upstreamModel).to.equal("glm-4.7-flashx");
    const other = { GLM_API_KEY: "secret", GLM_BASE_URL: "https://notz.ai/v4" };
    expect(long(other)?.deployments[0]?.upstreamModel).to.equal("glm-4-long");
  });

  it("refuses a key or an address that cannot be, without repeating it", () => {
    const lines = listProblems(
      loadText("", { env: { GLM_API_KEY: "sk\nsecret", GLM_BASE_URL: "ftp://secret" } }),
    );
    expect(lines).to.have.length(2);
    expect(lines[0]).to.match(/^environment: GLM_API_KEY has a character that no header can carry; /);
    expect(lines[1]).to.match(/^environment: GLM_BASE_URL is neither http nor https; /);
    expect(lines.join()).not.to.include("secret");
  });

  it("is left alone by a file that brings models of its own", () => {
    const text =
      "providers: { s: { kind: simulator } }\nmodels: [{ name: m, context_window_tokens: 9, max_output_tokens: 9, deployments: [{ provider: s }] }]";
    const config = expectConfig(loadText(text, { env: { GLM_API_KEY: "not\nused" } }));
    expect(config.models.map(({ name }) => name)).to.deep.equal(["m"]);
    expect(config.providers.map(({ name }) => name)).to.deep.equal(["s"]);
  });

  it("bills Zhipu by the list of the platform: yuan on bigmodel.cn, US dollars on Z.ai and elsewhere", () => {
    const priceOf = (env: Record<string, string>, name = "glm-4.6") =>
      builtInConfig(env).models.find((model) => model.name === name)?.deployments[0]?.price;
    expect(priceOf({ GLM_API_KEY: "id.secret" })).to.deep.equal({
      currency: "CNY",
      bands: [
        {
          belowInputTokens: 32_000,
          belowOutputTokens: 200,
          inputNano: 2e9,
          cachedInputNano: 4e8,
          outputNano: 8e9,
        },
        { belowInputTokens: 32_000, inputNano: 3e9, cachedInputNano: 6e8, outputNano: 14e9 },
        { inputNano: 4e9, cachedInputNano: 8e8, outputNano: 16e9 },
      ],
    });
    for (const { name, deployments } of builtInConfig({ GLM_API_KEY: "id.secret" }).models) {
      const last = deployments[0]?.price?.bands.at(-1);
      expect(last, name).to.not.have.any.keys("belowInputTokens", "belowOutputTokens");
    }
    expect(priceOf({ GLM_API_KEY: "secret" })).to.equal(undefined);
    expect(priceOf({ GLM_API_KEY: "id.secret", GLM_BASE_URL: "https://proxy.test/v4" })).to.equal(undefined);
  });

  const others: [string, Record<string, string>, string, string, string][] = [
    ["openai", { OPENAI_API_KEY: "k" }, "openai", "https://api.openai.com/v1", "gpt-5-mini"],
    ["anthropic", { ANTHROPIC_API_KEY: "k" }, "anthropic", "https://api.anthropic.com", "claude-haiku-4-5"],
    [
      "gemini",
      { GEMINI_API_KEY: "k" },
      "gemini",
      "https://generativelanguage.googleapis.com/v1beta/openai",
      "gemini-2.5-flash",
    ],
    ["openai", { DEEPSEEK_API_KEY: "k" }, "deepseek", "https://api.deepseek.com/v1", "deepseek-v4-pro"],
    [
      "openrouter",
      { OPENROUTER_API_KEY: "k" },
      "openrouter",
      "https://openrouter.ai/api/v1",
      "meta-llama/llama-3.2-1b-instruct",
    ],
    ["ollama", { OLLAMA_HOST: "127.0.0.1:11500" }, "ollama", "http://127.0.0.1:11500", "llama3.2"],
  ];
  for (const [kind, env, name, baseUrl, model] of others) {
    it(`has real models of ${name} with its variable alone`, () => {
      const config = expectConfig(loadText("", { env }));
      expect(config.providers).to.have.length(1);
      expect(config.providers[0]).to.include({ kind, name, baseUrl });
      const found = config.models.find((each) => each.name === model);
      expect(found?.deployments[0]).to.include({ provider: name, upstreamModel: model, simulated: false });
      expect(config.models.every(({ deployments }) => deployments.every((each) => !each.simulated))).to.equal(
        true,
      );
    });
  }

  it("takes an address of Ollama as its own programs do, and the models that are named", () => {
    const urlOf = (host: string) =>
      (builtInConfig({ OLLAMA_HOST: host }).providers[0] as OpenAiProviderConfig).baseUrl;
    expect(urlOf("localhost")).to.equal("http://localhost:11434");
    expect(urlOf("0.0.0.0:11434")).to.equal("http://127.0.0.1:11434");
    expect(urlOf("https://ollama.test:8443/")).to.equal("https://ollama.test:8443");
    const { models: named } = builtInConfig({
      OLLAMA_HOST: "localhost",
      OLLAMA_MODEL: "qwen3, mistral ,qwen3",
    });
    expect(named.map(({ name }) => name)).to.deep.equal(["qwen3", "mistral"]);
  });

  it("gives a name several deployments where several providers serve it, each at its own price", () => {
    const config = builtInConfig({ GLM_API_KEY: "secret", OPENROUTER_API_KEY: "k", OPENAI_API_KEY: "k" });
    const { deployments } = config.models.find(({ name }) => name === "glm-4.6") ?? {};
    expect(
      deployments?.map(({ id, thinking, parameters }) => [id, thinking, parameters?.thinking]),
    ).to.deep.equal([
      ["glm/glm-4.6", false, true],
      ["openrouter/z-ai/glm-4.6", false, true],
    ]);
    expect(deployments?.[1]?.price).to.deep.equal({
      currency: "USD",
      bands: [{ inputNano: 430_000_000, outputNano: 1_740_000_000 }],
    });
    const ids = config.models.flatMap((model) => model.deployments.map(({ id }) => id));
    expect(new Set(ids).size).to.equal(ids.length);
    expect(new Set(config.models.map(({ name }) => name)).size).to.equal(config.models.length);
  });

  it("has the small models that chains of OpenRouter are often made of", () => {
    const names = builtInConfig({ OPENROUTER_API_KEY: "k" }).models.map(({ name }) => name);
    expect(names).to.include.members([
      "meta-llama/llama-3.2-1b-instruct",
      "meta-llama/llama-3.2-3b-instruct",
      "microsoft/phi-3-mini-128k-instruct",
      "microsoft/wizardlm-2-8x22b",
      "google/gemma-2-27b-it",
      "mistralai/mistral-small-24b-instruct-2501",
      "kwaipilot/kat-coder-pro:free",
      "undi95/remm-slerp-l2-13b",
    ]);
  });
});
