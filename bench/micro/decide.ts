/**
 * What does a decision cost? Chooses among 50 deployments with the shipped chooser and
 * prints the distribution of single decisions and what the heap keeps of very many.
 */

import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { CandidateView } from "../../src/core/choice/candidate-view.ts";
import type { ChoiceInput } from "../../src/core/choice/choice-input.ts";
import { DEFAULT_CHOICE_SETTINGS } from "../../src/core/choice/choice-settings.ts";
import { Chooser } from "../../src/core/choice/choose.ts";
import { deriveDemands } from "../../src/core/choice/demands.ts";
import { buildQualityTable } from "../../src/core/choice/quality-table.ts";
import type { Deployment, Model } from "../../src/domain/deployment.ts";
import type { GenerationRequest, Priority } from "../../src/domain/request.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { renderText } from "../side-by-side/table.ts";

const DEPLOYMENT_COUNT = 50;
const MODEL_COUNT = 10;
const DECISION_COUNT = 10_000_000;
const QUICK_DECISION_COUNT = 1_000_000;
const SAMPLE_COUNT = 200_000;
const PRIORITIES: readonly Priority[] = ["speed", "quality", "cost", "balanced"];
const GOALS = { p50Us: 20, p99Us: 100, heapGrowthBytes: 1_048_576 };

function buildModels(): readonly Model[] {
  return Array.from({ length: MODEL_COUNT }, (_, index): Model => {
    const name = `model-${index}`;
    const deployments = Array.from(
      { length: DEPLOYMENT_COUNT / MODEL_COUNT },
      (_, place): Deployment => ({
        id: `provider-${place}/${name}`,
        model: name,
        provider: `provider-${place}`,
        upstreamModel: name,
        simulated: true,
        requestOverrides: {},
        concurrencyLimit: place === 0 ? 8 : undefined,
      }),
    );
    return {
      name,
      description: "",
      capabilities: {
        contextWindowTokens: 128_000,
        maxOutputTokens: 8_000,
        vision: false,
        tools: true,
        jsonObject: true,
        jsonSchema: false,
        longContext: index % 2 === 0,
      },
      tiers: { speed: 1 + (index % 5), quality: 5 - (index % 5), cost: 1 + (index % 5) },
      price: index === 0 ? undefined : { inputNanoUsd: index * 1e8, outputNanoUsd: index * 4e8 },
      taskSuitability: { code_generation: 0.5 + index / 20 },
      deployments,
    };
  });
}

function buildViews(models: readonly Model[]): readonly CandidateView[] {
  const random = seededRandom(1);
  return models.flatMap((model) =>
    model.deployments.map(
      (deployment): CandidateView => ({
        deployment,
        model,
        permitted: true,
        successMean: 0.9 + 0.1 * random.next(),
        successDeviation: 0.03 * random.next(),
        ttftMeanMs: 300 + 900 * random.next(),
        ttftLogDeviation: 0.2 + 0.4 * random.next(),
        tpotMs: 5 + 20 * random.next(),
        inFlightCount: Math.floor(4 * random.next()),
        headroomRatio: random.next(),
        cooldownUntilMs: 0,
        credentialDisabledUntilMs: 0,
        heldUntilMs: 0,
        breaker: random.next() < 0.1 ? "ramping" : "closed",
        openUntilMs: 0,
        permitAvailable: true,
        rampRatio: 0.5,
        promptTokenRatio: 1,
        suspect: false,
        lastSampleAgeMs: 1_000 * random.next(),
      }),
    ),
  );
}

function buildInputs(): readonly ChoiceInput[] {
  const models = buildModels();
  const views = [buildViews(models)];
  const random = seededRandom(2);
  const quality = buildQualityTable(models);
  return PRIORITIES.map((priority): ChoiceInput => {
    const request: GenerationRequest = {
      messages: [{ role: "user", parts: [{ kind: "text", text: "Hello" }] }],
      target: { kind: "automatic" },
      taskType: "code_generation",
      priority,
      requirements: { vision: false, tools: true, jsonOutput: false, longContext: false },
      sampling: { maxOutputTokens: 1_000 },
      tools: [],
    };
    return {
      set: {
        target: "auto",
        tiers: [
          {
            name: "auto",
            deployments: models.flatMap((model) => model.deployments),
            rotation: "adaptive",
            settings: {},
            scopes: [],
          },
        ],
        fallback: "spill",
        maxAttempts: undefined,
        retryDelayMs: 0,
        breaker: undefined,
        strategy: undefined,
        judges: [],
      },
      views,
      demands: deriveDemands(request, {
        promptTokens: 800,
        task: undefined,
        limits: { minSuccessRatio: 0.5, maxLatencyMs: 60_000 },
      }),
      settings: DEFAULT_CHOICE_SETTINGS,
      nowMs: 1_000_000,
      remainingMs: 60_000,
      history: undefined,
      quality,
      lastAttempt: false,
      relaxedBefore: [],
      incumbentId: undefined,
      demandRatios: undefined,
      rotation: { take: () => 0 },
      random,
      explain: false,
    };
  });
}

function decideOnce(chooser: Chooser, inputs: readonly ChoiceInput[], index: number): void {
  const input = inputs[index % inputs.length];
  if (input !== undefined && chooser.choose(input).kind !== "chosen") throw new Error("nothing was chosen");
}

function decideMany(chooser: Chooser, inputs: readonly ChoiceInput[], count: number): void {
  for (let index = 0; index < count; index++) decideOnce(chooser, inputs, index);
}

/** Single decisions in µs, sorted. What the clock itself costs is in them. */
function sampleDecisions(chooser: Chooser, inputs: readonly ChoiceInput[]): Float64Array {
  const samples = new Float64Array(SAMPLE_COUNT);
  for (let index = 0; index < SAMPLE_COUNT; index++) {
    const began = process.hrtime.bigint();
    decideOnce(chooser, inputs, index);
    samples[index] = Number(process.hrtime.bigint() - began) / 1_000;
  }
  return samples.sort();
}

/** What the heap holds after a full collection. */
function prepareHeapReader(): () => number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    return getHeapStatistics().used_heap_size;
  };
}

/** Takes `--quick` for a tenth of the decisions. Answers 1 when a goal was missed. */
export async function run(args: readonly string[]): Promise<number> {
  const unknown = args.find((word) => word !== "--quick");
  if (unknown !== undefined) {
    console.error(`bench: decide takes --quick and nothing else, not "${unknown}".`);
    return 2;
  }
  const readHeapBytes = prepareHeapReader();
  const count = args.includes("--quick") ? QUICK_DECISION_COUNT : DECISION_COUNT;
  const chooser = new Chooser();
  const inputs = buildInputs();
  decideMany(chooser, inputs, 100_000);
  const samples = sampleDecisions(chooser, inputs);
  const beforeBytes = readHeapBytes();
  const began = process.hrtime.bigint();
  decideMany(chooser, inputs, count);
  const meanUs = Number(process.hrtime.bigint() - began) / 1_000 / count;
  const grownBytes = readHeapBytes() - beforeBytes;
  const p50Us = samples[Math.floor(SAMPLE_COUNT / 2)] ?? 0;
  const p99Us = samples[Math.floor(SAMPLE_COUNT * 0.99)] ?? 0;
  console.log(
    renderText({
      title: `A decision among ${DEPLOYMENT_COUNT} deployments (Node ${process.version})`,
      head: ["measure", "value", "goal"],
      rows: [
        ["p50, µs", p50Us.toFixed(2), `≤ ${GOALS.p50Us}`],
        ["p99, µs", p99Us.toFixed(2), `≤ ${GOALS.p99Us}`],
        ["mean, µs", meanUs.toFixed(2), ""],
        [`heap growth of ${count} decisions, bytes`, String(grownBytes), `≤ ${GOALS.heapGrowthBytes}`],
      ],
      content: "numbers",
    }),
  );
  const met = p50Us <= GOALS.p50Us && p99Us <= GOALS.p99Us && grownBytes <= GOALS.heapGrowthBytes;
  return met ? 0 : 1;
}
