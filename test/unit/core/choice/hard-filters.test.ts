import { expect } from "chai";
import type { CandidateView } from "../../../../src/core/choice/candidate-view.ts";
import { clipOutputTokens } from "../../../../src/core/choice/demands.ts";
import {
  CHOICE_FILTERS,
  type ChoiceFilter,
  findFilter,
  maskOf,
  PASSED,
} from "../../../../src/core/choice/hard-filters.ts";
import { ALL_PARAMETERS } from "../../../../src/domain/parameter-rules.ts";
import type { ModelChanges } from "../../../support/sample-catalog.ts";
import {
  decide,
  historyAfter,
  type InputOptions,
  NOW_MS,
  nameChoice,
  sampleInput,
  type ViewChanges,
  viewOf,
} from "./choice-bench.ts";

function filterOf(view: CandidateView, options: InputOptions = {}, relaxed = 0): ChoiceFilter | undefined {
  const code = findFilter(view, sampleInput([[view]], options), relaxed);
  return code === PASSED ? undefined : CHOICE_FILTERS[code];
}

const NOTHING = { vision: false, tools: false, jsonOutput: false, longContext: false };
const image = { kind: "image" as const, source: { kind: "url" as const, url: "https://example.com/a.png" } };
const other = viewOf("other");

interface Row {
  readonly filter: ChoiceFilter;
  readonly when: string;
  readonly view?: ViewChanges;
  readonly model?: ModelChanges;
  readonly options?: InputOptions;
  /** One step short of the filter: then the candidate passes. */
  readonly but: {
    readonly view?: ViewChanges;
    readonly model?: ModelChanges;
    readonly options?: InputOptions;
  };
}

const ROWS: readonly Row[] = [
  {
    filter: "disabled",
    when: "it is not permitted",
    view: { permitted: false },
    but: { view: { permitted: true } },
  },
  {
    filter: "same_provider",
    when: "the failure bars its provider",
    model: { providers: ["other-provider"] },
    options: { history: historyAfter(other, { scope: "other_provider" }) },
    but: { model: { providers: ["third"] } },
  },
  {
    filter: "context_not_larger",
    when: "the failure wants a larger window",
    options: { history: historyAfter(other, { scope: "larger_context" }) },
    but: { model: { capabilities: { contextWindowTokens: 100_001 } } },
  },
  {
    filter: "vision",
    when: "a message holds an image",
    options: { request: { messages: [{ role: "user", parts: [image] }] } },
    but: { model: { capabilities: { vision: true } } },
  },
  {
    filter: "vision",
    when: "the caller names the vision task",
    options: { request: { taskType: "vision_analysis" } },
    but: { options: { request: {}, task: "vision_analysis" } },
  },
  {
    filter: "tools",
    when: "the request has tools",
    model: { capabilities: { tools: false } },
    options: { request: { tools: [{ name: "f", description: "" }] } },
    but: { options: {} },
  },
  {
    filter: "json_object",
    when: "JSON is required",
    model: { capabilities: { jsonObject: false } },
    options: { request: { requirements: { ...NOTHING, jsonOutput: true } } },
    but: { options: {} },
  },
  {
    filter: "json_schema",
    when: "a schema is given",
    options: { request: { responseFormat: { kind: "json_schema", name: "s", schema: {}, strict: true } } },
    but: { model: { capabilities: { jsonSchema: true } } },
  },
  {
    filter: "long_context",
    when: "long context is required",
    options: { request: { requirements: { ...NOTHING, longContext: true } } },
    but: { model: { capabilities: { longContext: true } } },
  },
  {
    filter: "prompt_length",
    when: "the prompt alone fills the window",
    options: { promptTokens: 100_000 },
    but: { options: { promptTokens: 99_999 } },
  },
  {
    filter: "max_output",
    when: "the answer may be longer than the model can make it",
    options: { request: { sampling: { maxOutputTokens: 8_001 } } },
    but: { options: { request: { sampling: { maxOutputTokens: 8_000 } } } },
  },
  {
    filter: "min_success",
    when: "it succeeds too seldom",
    view: { successMean: 0.9 },
    options: { limits: { minSuccessRatio: 0.95 } },
    but: { view: { successMean: 0.95 } },
  },
  {
    filter: "max_latency",
    when: "fewer than half of its answers keep the limit",
    view: { ttftMeanMs: 1_000, tpotMs: 10 },
    options: { limits: { maxLatencyMs: 5_001 } },
    but: { options: { limits: { maxLatencyMs: 5_002 } } },
  },
  {
    filter: "max_cost",
    when: "it is dearer than allowed",
    model: { price: { inputNanoUsd: 1_000_000, outputNanoUsd: 1_000_000 } },
    options: { limits: { maxCostNanoUsd: 499 } },
    but: { options: { limits: { maxCostNanoUsd: 500 } } },
  },
  {
    filter: "max_cost",
    when: "a limit is given and its price is unknown",
    options: { limits: { maxCostNanoUsd: 1e12 } },
    but: { options: {} },
  },
  {
    filter: "context_window",
    when: "the caller requires a larger window",
    options: { request: { requirements: { ...NOTHING, contextTokens: 100_001 } } },
    but: { options: { request: { requirements: { ...NOTHING, contextTokens: 100_000 } } } },
  },
  {
    filter: "credential",
    when: "its credential was refused",
    view: { credentialDisabledUntilMs: Number.POSITIVE_INFINITY },
    but: { view: { credentialDisabledUntilMs: NOW_MS } },
  },
  {
    filter: "held",
    when: "it is held",
    view: { heldUntilMs: NOW_MS + 1 },
    but: { view: { heldUntilMs: NOW_MS } },
  },
  {
    filter: "cooldown",
    when: "its Retry-After has not passed",
    view: { cooldownUntilMs: NOW_MS + 1 },
    but: { view: { cooldownUntilMs: NOW_MS } },
  },
  {
    filter: "breaker",
    when: "its breaker is open",
    view: { breaker: "open" },
    but: { view: { breaker: "closed" } },
  },
  {
    filter: "breaker",
    when: "its half-open breaker has no permit left",
    view: { breaker: "half_open", permitAvailable: false },
    but: { view: { breaker: "half_open", permitAvailable: true } },
  },
  {
    filter: "suspect",
    when: "it is suspected and its one verification is under way",
    view: { suspect: true, permitAvailable: false },
    but: { view: { suspect: true, permitAvailable: true } },
  },
  {
    filter: "headroom",
    when: "2 % of its quota is left",
    view: { headroomRatio: 0.02 },
    but: { view: { headroomRatio: 0.021 } },
  },
  {
    filter: "deadline",
    when: "its first token would come too late",
    view: { ttftMeanMs: 1_000 },
    options: { remainingMs: 1_001 },
    but: { options: { remainingMs: 1_002 } },
  },
];

describe("the hard filters of the choice", () => {
  for (const { filter, when, view, model, options, but } of ROWS) {
    it(`name ${filter} when ${when}, and not one step before`, () => {
      expect(filterOf(viewOf("m", view, model), options)).to.equal(filter);
      expect(
        filterOf(viewOf("m", { ...view, ...but.view }, but.model ?? model), but.options ?? options),
      ).to.equal(undefined);
    });
  }

  it("name what was tried already", () => {
    expect(filterOf(other, { history: historyAfter(other) })).to.equal("tried");
  });

  it("are applied in the documented order: each hides all that come later", () => {
    // One candidate that every filter of a row removes; relaxing nothing, the first is named, and so on down.
    const view = viewOf(
      "m",
      {
        successMean: 0.1,
        ttftMeanMs: 1e6,
        credentialDisabledUntilMs: NOW_MS + 1,
        heldUntilMs: NOW_MS + 1,
        cooldownUntilMs: NOW_MS + 1,
        breaker: "open",
        headroomRatio: 0,
      },
      {
        capabilities: { tools: false, jsonObject: false, contextWindowTokens: 10, maxOutputTokens: 1 },
        price: { inputNanoUsd: 1e9, outputNanoUsd: 1e9 },
      },
    );
    const requirements = {
      vision: true,
      tools: true,
      jsonOutput: true,
      longContext: true,
      contextTokens: 99,
    };
    const request = {
      requirements,
      sampling: { maxOutputTokens: 2 },
      responseFormat: { kind: "json_schema", name: "s", schema: {}, strict: true } as const,
    };
    const limits = { minSuccessRatio: 0.9, maxLatencyMs: 1, maxCostNanoUsd: 1 };
    const mended: [ViewChanges, ModelChanges["capabilities"], object][] = [
      [{}, { vision: true }, {}],
      [{}, { tools: true }, {}],
      [{}, { jsonObject: true }, {}],
      [{}, { jsonSchema: true }, {}],
      [{}, { longContext: true }, {}],
      [{}, { contextWindowTokens: 101 }, {}],
      [{}, { maxOutputTokens: 2 }, {}],
      [{ successMean: 1 }, {}, {}],
      [{}, {}, { maxLatencyMs: undefined }],
      [{}, {}, { maxCostNanoUsd: undefined }],
      [{}, { contextWindowTokens: 1_000 }, {}],
      [{ credentialDisabledUntilMs: 0 }, {}, {}],
      [{ heldUntilMs: 0 }, {}, {}],
      [{ cooldownUntilMs: 0 }, {}, {}],
      [{ breaker: "closed" }, {}, {}],
      [{ headroomRatio: 1 }, {}, {}],
      [{ ttftMeanMs: 1 }, {}, {}],
    ];
    requirements.contextTokens = 500;
    let shownView = { ...view };
    let shownLimits: InputOptions["limits"] = limits;
    const seen: (ChoiceFilter | undefined)[] = [];
    for (const [change, capabilities, limit] of [[{}, {}, {}] as const, ...mended]) {
      shownView = {
        ...shownView,
        ...change,
        model: { ...shownView.model, capabilities: { ...shownView.model.capabilities, ...capabilities } },
      };
      shownLimits = Object.fromEntries(
        Object.entries({ ...shownLimits, ...limit }).filter(([, value]) => value !== undefined),
      );
      seen.push(filterOf(shownView, { request, limits: shownLimits, promptTokens: 100 }));
    }
    expect(seen).to.deep.equal([
      "vision",
      "tools",
      "json_object",
      "json_schema",
      "long_context",
      "prompt_length",
      "max_output",
      "min_success",
      "max_latency",
      "max_cost",
      "context_window",
      "credential",
      "held",
      "cooldown",
      "breaker",
      "headroom",
      "deadline",
      undefined,
    ]);
  });

  it("leave out what is relaxed, and only that", () => {
    const poor = viewOf("m", { successMean: 0.5, headroomRatio: 0 });
    const options = { limits: { minSuccessRatio: 0.9 } };
    expect(filterOf(poor, options, maskOf("min_success"))).to.equal("headroom");
    expect(filterOf(poor, options, maskOf("min_success", "headroom"))).to.equal(undefined);
  });

  it("never let a relaxed breaker through without a permit", () => {
    const open = viewOf("m", { breaker: "open", permitAvailable: false });
    expect(filterOf(open, {}, maskOf("breaker"))).to.equal("breaker");
  });
});

describe("the clip rule", () => {
  const small = { capabilities: { contextWindowTokens: 1_000 } };

  it("lowers the output limit to what the window leaves, before it rejects", () => {
    const options = { promptTokens: 900, request: { sampling: { maxOutputTokens: 500 } } };
    const decision = decide([[viewOf("small", {}, small)]], options);
    expect(decision).to.deep.include({ kind: "chosen", maxOutputTokens: 9 });
  });

  it("prefers an equal candidate that need not be cut", () => {
    const tiers = [[viewOf("small", {}, small), viewOf("large")]];
    const options = { promptTokens: 900, request: { sampling: { maxOutputTokens: 500 } } };
    expect(nameChoice(decide(tiers, options))).to.equal("large");
  });

  it("leaves an unset limit unset and a fitting one as it is", () => {
    const view = viewOf("m");
    expect(clipOutputTokens(sampleInput([]).demands, view)).to.equal(undefined);
    const request = { sampling: { maxOutputTokens: 7 } };
    expect(clipOutputTokens(sampleInput([], { request }).demands, view)).to.equal(7);
  });

  it("is the most that has room where a deployment demands one and nobody says it", () => {
    const parameters = { ...ALL_PARAMETERS, outputLimitNeeded: true };
    const clip = (promptTokens: number, request = {}) =>
      clipOutputTokens(
        sampleInput([], { promptTokens, request }).demands,
        viewOf("m", {}, { parameters, capabilities: { contextWindowTokens: 1_000, maxOutputTokens: 600 } }),
      );
    expect(clip(100)).to.equal(600);
    expect(clip(500)).to.equal(450);
    expect(clip(990)).to.equal(1);
    expect(clip(500, { sampling: { maxOutputTokens: 9 } })).to.equal(9);
  });
});
