import { expect } from "chai";
import { catalogYaml, expectConfig, listProblems, loadText } from "./memory-files.ts";

const load = (provider: string, more: { model?: string; deployment?: string } = {}) =>
  loadText(catalogYaml({ provider, ...more }));

describe("providers over HTTP in the configuration", () => {
  for (const kind of ["openai", "glm", "openrouter", "gemini", "anthropic", "ollama"]) {
    it(`may be of kind ${kind}`, () => {
      const entry = `{ kind: ${kind}, base_url: "https://x.test/v1/", api_key: "k-1", max_connections: 7 }`;
      const { providers, models } = expectConfig(load(entry));
      expect(providers[0]).to.include({
        kind,
        name: "p",
        baseUrl: "https://x.test/v1",
        maxConnections: 7,
        connectTimeoutMs: 5_000,
      });
      expect(models[0]?.deployments[0]).to.deep.include({
        simulated: false,
        capabilities: models[0]?.capabilities,
      });
    });

    it(`must have a URL when of kind ${kind}`, () => {
      expect(listProblems(load(`{ kind: ${kind} }`)).join("\n")).to.include(
        "providers.p.base_url is missing",
      );
    });

    it(`warn of a key of kind ${kind} that goes over http to another machine`, () => {
      const result = load(`{ kind: ${kind}, base_url: "http://x.test", api_key: "k-1" }`);
      expect(result.ok && result.notices.join("\n")).to.include("INSECURE");
    });
  }
});
