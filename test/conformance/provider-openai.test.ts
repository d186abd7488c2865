import { createGlmProvider } from "../../src/providers/glm/glm-provider.ts";
import { createOpenAiProvider } from "../../src/providers/openai/openai-provider.ts";
import { createOpenRouterProvider } from "../../src/providers/openrouter/openrouter-provider.ts";
import { CHAT_VOICE, GLM_VOICE, OPENROUTER_VOICE } from "./chat-voice.ts";
import { HTTP_SCENARIOS, makeHttpRig } from "./http-rig.ts";
import { describeProviderConformance } from "./provider-conformance.ts";

describeProviderConformance("The OpenAI provider", HTTP_SCENARIOS, () =>
  makeHttpRig({
    stopWord: "stop",
    voice: CHAT_VOICE,
    makeProvider: (config, deps) => createOpenAiProvider({ kind: "openai", ...config }, deps),
  }),
);

describeProviderConformance("The GLM provider", HTTP_SCENARIOS, () =>
  makeHttpRig({
    stopWord: "stop",
    voice: GLM_VOICE,
    makeProvider: (config, deps) => createGlmProvider({ kind: "glm", ...config }, deps),
  }),
);

describeProviderConformance("The OpenRouter provider", HTTP_SCENARIOS, () =>
  makeHttpRig({
    stopWord: "stop",
    voice: OPENROUTER_VOICE,
    makeProvider: (config, deps) => createOpenRouterProvider({ kind: "openrouter", ...config }, deps),
  }),
);
