import { expect } from "chai";
import { loadConfig } from "../../../src/config/load-config.ts";
import type { SimulatedBehaviour } from "../../../src/domain/simulation.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { createSimulatorProvider } from "../../../src/providers/simulator/simulator-provider.ts";
import { makeCall } from "../../conformance/provider-calls.ts";
import { ProviderRecorder } from "../../conformance/provider-recorder.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const QUIET: SimulatedBehaviour = {
  timeToFirstTokenP95Ms: undefined,
  tokensPerSecondP95: undefined,
  outputTokensP95: undefined,
  quota: { requestsPerMinute: undefined, tokensPerMinute: undefined },
  schedule: [],
};

describe("the simulator under load", () => {
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });
  afterEach(() => expect(clock.pendingCount).to.equal(0));

  function makeProvider(changes: Partial<SimulatedBehaviour>, seed = 1) {
    const config = {
      kind: "simulator",
      name: "sim",
      timeToFirstTokenMs: 100,
      tokensPerSecond: 50,
      outputTokens: 40,
      failureRatio: 0,
      hangRatio: 0,
      cutRatio: 0,
      seed,
      behaviour: { ...QUIET, ...changes },
    } as const;
    return createSimulatorProvider(config, { clock, random: seededRandom(1) });
  }

  async function ask(provider: ReturnType<typeof makeProvider>) {
    const recorder = new ProviderRecorder();
    const attempt = recorder.start(provider, makeCall({}));
    await clock.advance(5_000);
    attempt.abort();
    return recorder;
  }

  it("fails as the schedule says, and only while it says so", async () => {
    const provider = makeProvider({
      schedule: [
        { kind: "overloaded", fromMs: 0, toMs: 5_000, ratio: 1, model: undefined },
        { kind: "reset", fromMs: 5_000, toMs: 10_000, ratio: 1, model: undefined },
        { kind: "hang", fromMs: 10_000, toMs: 15_000, ratio: 1, model: undefined },
        { kind: "cut", fromMs: 15_000, toMs: 20_000, ratio: 1, model: undefined },
      ],
    });
    const ends = [];
    for (let count = 0; count < 5; count++) ends.push((await ask(provider)).ends[0]);
    expect(ends.map((end) => (end?.kind === "failed" ? end.failure.class : end?.kind))).to.deep.equal([
      "overloaded",
      "network",
      undefined,
      "stream_interrupted",
      "completed",
    ]);
    expect(ends[0]).to.have.nested.property("failure.httpStatus", 503);
  });

  it("refuses what is over its quota, and says when to come again", async () => {
    const provider = makeProvider({ quota: { requestsPerMinute: 1, tokensPerMinute: undefined } });
    const first = await ask(provider);
    const second = await ask(provider);
    expect(first.end).to.have.property("kind", "completed");
    expect(second.end).to.deep.include({ kind: "failed" });
    expect(second.end).to.have.nested.property("failure.class", "rate_limit");
    expect(second.end).to.have.nested.property("failure.retryAfterMs", 55_000);
    await clock.advance(55_000);
    expect((await ask(provider)).end).to.have.property("kind", "completed");
  });

  it("varies its answers by the seed", async () => {
    const countTokens = async (seed: number) => {
      const provider = makeProvider({ outputTokensP95: 150 }, seed);
      const counts = [];
      for (let count = 0; count < 5; count++) {
        counts.push((await ask(provider)).events.filter(({ kind }) => kind === "text_delta").length);
      }
      return counts;
    };
    const counts = await countTokens(7);
    expect(new Set(counts).size).to.be.above(2);
    expect(await countTokens(7)).to.deep.equal(counts);
    expect(await countTokens(8)).not.to.deep.equal(counts);
  });

  it("is configured in the file, whose problems are named", () => {
    const load = (lines: readonly string[]) =>
      loadConfig({
        env: {},
        file: "sluice.yaml",
        files: {
          readText: (path) =>
            path.endsWith("sluice.yaml")
              ? { kind: "text", text: ["providers:", "  sim:", "    kind: simulator", ...lines].join("\n") }
              : { kind: "missing" },
        },
      });
    const right = load([
      "    output_tokens_p95: 300",
      "    tokens_per_minute: 1000",
      "    faults: [{kind: cut, from: 5s, ratio: 0.5}]",
      `models: [{name: m, context_window_tokens: 100, max_output_tokens: 50, tiers: {speed: 1, quality: 1, cost: 1}, deployments: [{provider: sim}]}]`,
    ]);
    const [provider] = right.ok ? right.config.providers : [];
    expect(provider).to.have.deep.property("behaviour", {
      ...QUIET,
      outputTokensP95: 300,
      quota: { requestsPerMinute: undefined, tokensPerMinute: 1_000 },
      schedule: [
        { kind: "cut", fromMs: 5_000, toMs: Number.POSITIVE_INFINITY, ratio: 0.5, model: undefined },
      ],
    });
    const wrong = load([
      "    time_to_first_token_p95: 1ms",
      "    faults: [{kind: explode}, {kind: hang, from: 5s, to: 5s}]",
    ]);
    const paths = wrong.ok ? [] : wrong.problems.map(({ path }) => path);
    expect(paths).to.include.members([
      "providers.sim.time_to_first_token_p95",
      "providers.sim.faults[0].kind",
      "providers.sim.faults[1].to",
    ]);
  });
});
