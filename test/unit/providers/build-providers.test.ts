import { expect } from "chai";
import type { ProviderConfig } from "../../../src/config/config.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { buildProviders } from "../../../src/providers/build-providers.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const CONFIGS: readonly ProviderConfig[] = [
  ...(["openai", "glm", "openrouter", "anthropic", "ollama"] as const).map((kind) => ({
    kind,
    name: `my-${kind}`,
    baseUrl: "http://127.0.0.1:9/v1",
    apiKey: undefined,
    maxConnections: 1,
    connectTimeoutMs: 100,
  })),
  {
    kind: "simulator",
    name: "sim",
    timeToFirstTokenMs: 1,
    tokensPerSecond: 1,
    outputTokens: 1,
    failureRatio: 0,
    hangRatio: 0,
    cutRatio: 0,
    seed: 1,
  },
];

describe("buildProviders", () => {
  it("makes each provider under its name and opens nothing", async () => {
    const clock = new FakeClock();
    const providers = buildProviders(CONFIGS, { clock, random: systemRandom, userAgent: "sluice/test" });
    expect(Array.from(providers.values(), ({ name, simulated }) => [name, simulated])).to.deep.equal([
      ["my-openai", false],
      ["my-glm", false],
      ["my-openrouter", false],
      ["my-anthropic", false],
      ["my-ollama", false],
      ["sim", true],
    ]);
    expect(Array.from(providers.keys())).to.deep.equal(CONFIGS.map(({ name }) => name));
    expect(clock.pendingCount).to.equal(0);
    for (const provider of providers.values()) await provider.close();
  });
});
