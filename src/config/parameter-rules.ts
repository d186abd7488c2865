/** Which parameters deployments take, by what serves them; `parameters` in the file wins. */

import { ALL_PARAMETERS, type NumberRange, type ParameterRules } from "../domain/parameter-rules.ts";
import type { ProviderEntry } from "./schema/config-schema.ts";

type ProviderKind = ProviderEntry["kind"];

/** OpenAI's models that think first refuse any temperature and `top_p` but their own; chat variants do not think. */
const FIXED_SAMPLING_OPENAI = /^(?:openai\/)?(?:o\d|gpt-[5-9](?!.*-chat))/;
/** So do Anthropic's from Opus 4.7 on: `temperature` is deprecated for this model (its migration guide). */
const FIXED_SAMPLING_ANTHROPIC = /^(?:anthropic\/)?claude-(?:[a-z]+-[5-9]|opus-4[-.][7-9])(?!\d)/;
/** From Opus 4.1 on, Anthropic's refuse the two together. */
const ONE_OF_SAMPLING = /^(?:anthropic\/)?claude-[a-z]+-4[-.]\d(?!\d)/;
/** OpenAI's refuse `stop` from o3 and gpt-5 on, until gpt-5.5 (unsupported_parameter). */
const NO_STOP = /^(?:openai\/)?(?:o[3-9]|gpt-5(?!\.(?:[5-9]|\d\d))(?!.*-chat))/;

/** Zhipu's that can think and can leave it; glm-5.3 cannot, and older ones do not think. */
const THINKING_GLM = /^(?:z-ai\/)?glm-(?:4\.[5-9]|5(?!\.3))/;
/**
 * DeepSeek's that think unless they are told not to. Thinking, they refuse a demanded call of a tool, and the
 * turn after a call without the thoughts before it (api-docs.deepseek.com, thinking mode).
 */
const THINKING_DEEPSEEK = /^deepseek-v[4-9]/;
/** Who has a word for it. */
export const THINKING_KINDS: ReadonlySet<string> = new Set<ProviderKind>(["glm", "openrouter", "ollama"]);

const USUAL: Readonly<Record<ProviderKind, ParameterRules>> = {
  openai: ALL_PARAMETERS,
  openrouter: ALL_PARAMETERS,
  simulator: ALL_PARAMETERS,
  // Its compatible endpoint takes OpenAI's figures as they are.
  gemini: ALL_PARAMETERS,
  glm: {
    ...ALL_PARAMETERS,
    temperature: { min: 0, max: 1 },
    temperatureDecimalCount: 2,
    topP: { min: 0.01, max: 1 },
    maxStopSequences: 1,
    forcedToolCalls: false,
    imageDetail: false,
  },
  anthropic: {
    ...ALL_PARAMETERS,
    temperature: { min: 0, max: 1 },
    imageDetail: false,
    speakerNames: false,
    formatEnforced: false,
    outputLimitNeeded: true,
  },
  ollama: {
    ...ALL_PARAMETERS,
    forcedToolCalls: false,
    imageUrls: false,
    imageDetail: false,
    speakerNames: false,
  },
};

/** What the file may say of a deployment's parameters. */
export interface ParametersEntry {
  /** Null: not taken. */
  readonly temperature?: NumberRange | null | undefined;
  readonly top_p?: NumberRange | null | undefined;
  readonly temperature_with_top_p?: boolean | undefined;
  readonly stop_sequences?: number | undefined;
  readonly forced_tool_calls?: boolean | undefined;
  readonly image_urls?: boolean | undefined;
  readonly image_detail?: boolean | undefined;
  readonly speaker_names?: boolean | undefined;
  readonly thinking?: boolean | undefined;
}

/** Whether a model of a provider of kind `openai` can be told. */
export function thinksAtOpenAi(upstreamModel: string): boolean {
  return THINKING_DEEPSEEK.test(upstreamModel);
}

/** The rules of a deployment. */
export function findParameterRules(
  kind: ProviderKind,
  upstreamModel: string,
  entry: ParametersEntry = {},
): ParameterRules {
  const usual = findUsualRules(kind, upstreamModel);
  return {
    ...usual,
    temperature: entry.temperature === undefined ? usual.temperature : (entry.temperature ?? undefined),
    topP: entry.top_p === undefined ? usual.topP : (entry.top_p ?? undefined),
    temperatureWithTopP: entry.temperature_with_top_p ?? usual.temperatureWithTopP,
    maxStopSequences: entry.stop_sequences ?? usual.maxStopSequences,
    forcedToolCalls: entry.forced_tool_calls ?? usual.forcedToolCalls,
    imageUrls: entry.image_urls ?? usual.imageUrls,
    imageDetail: entry.image_detail ?? usual.imageDetail,
    speakerNames: entry.speaker_names ?? usual.speakerNames,
    thinking: (usual.thinking || THINKING_KINDS.has(kind)) && (entry.thinking ?? usual.thinking),
  };
}

/** Only where a name is its maker's own does it say what the model refuses. */
function findUsualRules(kind: ProviderKind, upstreamModel: string): ParameterRules {
  const hasOpenAi = kind === "openai" || kind === "openrouter";
  const hasAnthropic = kind === "anthropic" || kind === "openrouter";
  const isFixed =
    (hasOpenAi && FIXED_SAMPLING_OPENAI.test(upstreamModel)) ||
    (hasAnthropic && FIXED_SAMPLING_ANTHROPIC.test(upstreamModel));
  return {
    ...USUAL[kind],
    ...(isFixed && { temperature: undefined, topP: undefined }),
    ...(hasAnthropic && ONE_OF_SAMPLING.test(upstreamModel) && { temperatureWithTopP: false }),
    ...(hasOpenAi && NO_STOP.test(upstreamModel) && { maxStopSequences: 0 }),
    ...((kind === "glm" || kind === "openrouter") && { thinking: THINKING_GLM.test(upstreamModel) }),
    ...(kind === "openai" &&
      THINKING_DEEPSEEK.test(upstreamModel) && { thinking: true, thinkingWithTools: false }),
  };
}
