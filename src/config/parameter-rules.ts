/** Which parameters deployments take, by what serves them; `parameters` in the file wins. */

import { ALL_PARAMETERS, type NumberRange, type ParameterRules } from "../domain/parameter-rules.ts";
import type { ProviderEntry } from "./schema/config-schema.ts";

type ProviderKind = ProviderEntry["kind"];

/** OpenAI's models that think first refuse any temperature and `top_p` but their own; chat variants do not think. */
const FIXED_SAMPLING = /^(?:openai\/)?(?:o\d|gpt-[5-9](?!.*-chat))/;

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
  readonly stop_sequences?: number | undefined;
  readonly forced_tool_calls?: boolean | undefined;
  readonly image_urls?: boolean | undefined;
  readonly image_detail?: boolean | undefined;
  readonly speaker_names?: boolean | undefined;
}

/** The rules of a deployment. */
export function findParameterRules(
  kind: ProviderKind,
  upstreamModel: string,
  entry: ParametersEntry = {},
): ParameterRules {
  const isFixed = (kind === "openai" || kind === "openrouter") && FIXED_SAMPLING.test(upstreamModel);
  const usual = isFixed ? { ...USUAL[kind], temperature: undefined, topP: undefined } : USUAL[kind];
  return {
    ...usual,
    temperature: entry.temperature === undefined ? usual.temperature : (entry.temperature ?? undefined),
    topP: entry.top_p === undefined ? usual.topP : (entry.top_p ?? undefined),
    maxStopSequences: entry.stop_sequences ?? usual.maxStopSequences,
    forcedToolCalls: entry.forced_tool_calls ?? usual.forcedToolCalls,
    imageUrls: entry.image_urls ?? usual.imageUrls,
    imageDetail: entry.image_detail ?? usual.imageDetail,
    speakerNames: entry.speaker_names ?? usual.speakerNames,
  };
}
