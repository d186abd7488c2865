import { expect } from "chai";
import type { SimulatorProviderConfig } from "../../src/config/config.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createSimulatorProvider } from "../../src/providers/simulator/simulator-provider.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { makeCall } from "./provider-calls.ts";
import { describeProviderConformance, type ProviderScenario } from "./provider-conformance.ts";

const CONFIG: SimulatorProviderConfig = {
  kind: "simulator",
  name: "sim",
  timeToFirstTokenMs: 20,
  tokensPerSecond: 50,
  outputTokens: 30,
  failureRatio: 0,
  hangRatio: 0,
  cutRatio: 0,
  seed: undefined,
};

const CHANGES: Readonly<Partial<Record<ProviderScenario, Partial<SimulatorProviderConfig>>>> = {
  server_error: { failureRatio: 1 },
  cut: { cutRatio: 1 },
  silent: { hangRatio: 1 },
  endless: { outputTokens: 100_000 },
};

const NUMBERS = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};

function makeScenarioCall(scenario: ProviderScenario) {
  if (scenario === "json") return makeCall({ responseFormat: { kind: "json_object" } });
  if (scenario !== "tool_call") return makeCall();
  const tools = [{ name: "add", description: "Adds.", parameters: NUMBERS }];
  return makeCall({ tools, toolChoice: { kind: "required" } });
}

const SCENARIOS = new Set<ProviderScenario>();

describeProviderConformance("The simulator", SCENARIOS, async () => {
  const clock = new FakeClock();
  return {
    stopWord: "stop",
    prepare(scenario) {
      const config = { ...CONFIG, ...CHANGES[scenario] };
      const provider = createSimulatorProvider(config, { clock, random: systemRandom });
      return { provider, call: makeScenarioCall(scenario) };
    },
    async until(check) {
      for (let round = 0; round < 500; round++) {
        try {
          return check();
        } catch {
          await clock.advance(20);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      check();
    },
    letTimePass: () => clock.advance(2_000),
    isQuiet: () => clock.pendingCount === 0,
    async close() {
      expect(clock.pendingCount).to.equal(0);
    },
  };
});
