/** The variables that make the built-in models real, and the providers that they stand for. */

/** What reaches one provider. */
export interface BuiltInSource {
  readonly provider: string;
  readonly kind: "glm" | "openai" | "openrouter" | "anthropic" | "gemini" | "ollama";
  /** The variable that turns it on: the key, or the address where there is no key. */
  readonly variable: string;
  readonly urlVariable: string;
  /** Where it is, where the variable does not say. */
  readonly url: string;
}

/** In the order of the catalog. */
export const BUILT_IN_SOURCES: readonly BuiltInSource[] = [
  {
    provider: "glm",
    kind: "glm",
    variable: "GLM_API_KEY",
    urlVariable: "GLM_BASE_URL",
    url: "https://open.bigmodel.cn/api/paas/v4",
  },
  {
    provider: "openai",
    kind: "openai",
    variable: "OPENAI_API_KEY",
    urlVariable: "OPENAI_BASE_URL",
    url: "https://api.openai.com/v1",
  },
  {
    provider: "anthropic",
    kind: "anthropic",
    variable: "ANTHROPIC_API_KEY",
    urlVariable: "ANTHROPIC_BASE_URL",
    url: "https://api.anthropic.com",
  },
  {
    provider: "gemini",
    kind: "gemini",
    variable: "GEMINI_API_KEY",
    urlVariable: "GEMINI_BASE_URL",
    url: "https://generativelanguage.googleapis.com/v1beta/openai",
  },
  {
    provider: "deepseek",
    kind: "openai",
    variable: "DEEPSEEK_API_KEY",
    urlVariable: "DEEPSEEK_BASE_URL",
    url: "https://api.deepseek.com/v1",
  },
  {
    provider: "openrouter",
    kind: "openrouter",
    variable: "OPENROUTER_API_KEY",
    urlVariable: "OPENROUTER_BASE_URL",
    url: "https://openrouter.ai/api/v1",
  },
  {
    provider: "ollama",
    kind: "ollama",
    variable: "OLLAMA_HOST",
    urlVariable: "OLLAMA_HOST",
    url: "http://127.0.0.1:11434",
  },
];

/** The variables as docs/configuration.md lists them. */
export const BUILT_IN_VARIABLES = {
  GLM_API_KEY:
    "The key of Zhipu (bigmodel.cn or Z.ai). With it, or one of the keys below, the built-in models are real; without any they are simulated.",
  GLM_BASE_URL:
    "Where Zhipu is. Without it `https://open.bigmodel.cn/api/paas/v4` for a key with a dot in it, else `https://api.z.ai/api/paas/v4`. A coding plan's key needs `…/api/coding/paas/v4`.",
  OPENAI_API_KEY: "The key of OpenAI; adds its models. `OPENAI_BASE_URL` moves them.",
  ANTHROPIC_API_KEY: "The key of Anthropic; adds its models. `ANTHROPIC_BASE_URL` moves them.",
  GEMINI_API_KEY: "The key of Gemini; adds its models. `GEMINI_BASE_URL` moves them.",
  DEEPSEEK_API_KEY: "The key of DeepSeek; adds its models. `DEEPSEEK_BASE_URL` moves them.",
  OPENROUTER_API_KEY:
    "The key of OpenRouter; adds its models, and serves some of Zhipu's names too. `OPENROUTER_BASE_URL` moves them.",
  OLLAMA_HOST: "The address of an Ollama server, `http://127.0.0.1:11434` for example; adds its models.",
  OLLAMA_MODEL: "Which of that server's models, by commas; `llama3.2` without it.",
} as const;
