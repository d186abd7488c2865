import * as z from "zod";

import { parseApiKey } from "../values/api-key.ts";
import { BASE_URL_RIGHT, parseBaseUrl } from "../values/base-url.ts";
import {
  decimalNumber,
  duration,
  filePath,
  flag,
  isAtMost,
  line,
  onlyOneOf,
  parsedText,
  relation,
  section,
  wholeNumber,
} from "./fields.ts";
import { providerRetrySection } from "./retry-section.ts";
import { simulatedBehaviourFields } from "./simulated-behaviour.ts";

const NAME_RIGHT = "a name of 1 to 64 letters, digits, `_`, `-` or `.`, beginning with a letter or digit";

const ratio = (description: string) => decimalNumber({ min: 0, max: 1 }, { description });

/** What a kind of provider over HTTP says of itself. */
interface HttpKind {
  readonly description: string;
  readonly path: string;
  readonly urls: readonly string[];
  readonly keyDescription: string;
  readonly keyVariable: string;
}

/** A provider over HTTP of kind `kind`. */
function httpProvider<Kind extends string>(kind: Kind, about: HttpKind) {
  const url = parsedText(BASE_URL_RIGHT, parseBaseUrl).meta({
    title: "URL",
    description: `The http or https URL to which \`${about.path}\` is appended.`,
    examples: [...about.urls],
  });
  return section({
    kind: z.literal(kind).meta({ title: kind, description: about.description }),
    base_url: url,
    api_key: parsedText("the key as text", parseApiKey)
      .optional()
      .meta({
        title: "text",
        description: `${about.keyDescription} Leave it out for servers that want none. Better a variable than the key itself.`,
        examples: [`$${about.keyVariable}`],
      }),
    api_key_file: filePath({
      description:
        "A file that holds the key, instead of `api_key`. Read once at the start; white space around the key is cut. Relative paths start at the folder of the configuration file.",
      examples: ["/run/secrets/glm-api-key"],
    }).optional(),
    max_connections: wholeNumber(
      { min: 1, max: 65_535 },
      { description: "The most connections held open to it; each running attempt holds one." },
    ).default(256),
    connect_timeout: duration(
      { minMs: 1, maxMs: 600_000, defaultMs: 5_000 },
      { description: "How long a connection may take to open." },
    ),
    probe: flag(true, {
      description:
        "Whether its list of models is asked at the start; models that are not in it are set aside for ten minutes, unless none of them is. Zhipu has no such list.",
    }),
    retry: providerRetrySection.optional(),
  }).check(onlyOneOf("api_key_file", "api_key"));
}

/** A provider of kind `openai`. */
export const openAiProvider = httpProvider("openai", {
  description: "A server that speaks OpenAI's chat completions over HTTP.",
  path: "/chat/completions",
  urls: ["https://api.openai.com/v1", "http://127.0.0.1:8000/v1"],
  keyDescription: "The key sent as `Authorization: Bearer …`.",
  keyVariable: "{OPENAI_API_KEY}",
});

/** A provider of kind `glm`. */
export const glmProvider = httpProvider("glm", {
  description:
    "Zhipu's servers, bigmodel.cn and Z.ai. Failures with the code 1113 mean no credit, or a coding plan's key at the ordinary URL: that plan has its own, `…/api/coding/paas/v4`.",
  path: "/chat/completions",
  urls: ["https://open.bigmodel.cn/api/paas/v4", "https://api.z.ai/api/paas/v4"],
  keyDescription: "The key sent as `Authorization: Bearer …`.",
  keyVariable: "{GLM_API_KEY}",
});

/** A provider of kind `openrouter`. */
export const openRouterProvider = httpProvider("openrouter", {
  description:
    "OpenRouter. The cost it tells wins over the model's price. `models` in `request_overrides` is not sent: fallback is Sluice's.",
  path: "/chat/completions",
  urls: ["https://openrouter.ai/api/v1"],
  keyDescription: "The key sent as `Authorization: Bearer …`.",
  keyVariable: "{OPENROUTER_API_KEY}",
});

/** A provider of kind `gemini`. */
export const geminiProvider = httpProvider("gemini", {
  description:
    "Gemini, by Google's endpoint in OpenAI's style. The thought signatures of tool calls are given to the caller and sent back.",
  path: "/chat/completions",
  urls: ["https://generativelanguage.googleapis.com/v1beta/openai"],
  keyDescription: "The key sent as `Authorization: Bearer …`.",
  keyVariable: "{GEMINI_API_KEY}",
});

/** A provider of kind `anthropic`. */
export const anthropicProvider = httpProvider("anthropic", {
  description: "A server that speaks Anthropic's Messages over HTTP.",
  path: "/v1/messages",
  urls: ["https://api.anthropic.com"],
  keyDescription: "The key sent as `x-api-key`.",
  keyVariable: "{ANTHROPIC_API_KEY}",
});

/** A provider of kind `ollama`. */
export const ollamaProvider = httpProvider("ollama", {
  description:
    "A server that speaks Ollama's own API over HTTP. The model's `context_window_tokens` is sent as `num_ctx`: the server keeps that much memory for it.",
  path: "/api/chat",
  urls: ["http://127.0.0.1:11434"],
  keyDescription: "The key sent as `Authorization: Bearer …`.",
  keyVariable: "{OLLAMA_API_KEY}",
});

/** A provider of kind `simulator`. */
export const simulatorProvider = section({
  kind: z.literal("simulator").meta({
    title: "simulator",
    description: "Answers without a language model, to try Sluice and to test against.",
  }),
  time_to_first_token: duration(
    { minMs: 0, maxMs: 3_600_000, defaultMs: 200 },
    { description: "From dispatch to the first token." },
  ),
  tokens_per_second: decimalNumber(
    { min: 0.001, max: 1_000_000 },
    { description: "Tokens per second after the first." },
  ).default(50),
  output_tokens: wholeNumber(
    { min: 1, max: 1_000_000 },
    { description: "Tokens of an answer, unless the request allows fewer." },
  ).default(120),
  failure_ratio: ratio("The share of attempts that fail before the first token.").default(0),
  hang_ratio: ratio("The share of attempts that never answer.").default(0),
  cut_ratio: ratio("The share of attempts that break off in the middle.").default(0),
  seed: wholeNumber(
    { min: 0, max: 2 ** 32 - 1 },
    { description: "Makes the failures repeatable. Without it they are drawn anew at each start." },
  ).optional(),
  ...simulatedBehaviourFields,
  retry: providerRetrySection.optional(),
}).check(
  relation(
    ["failure_ratio", "hang_ratio", "cut_ratio"],
    ({ failure_ratio, hang_ratio, cut_ratio }) =>
      // The margin is for sums such as 0.1 + 0.2 + 0.7.
      isAtMost(Number(failure_ratio) + Number(hang_ratio) + Number(cut_ratio), 1 + 1e-9),
    "is more than 1 together with hang_ratio and cut_ratio",
    "three shares of the same whole",
  ),
  ...(["time_to_first_token", "tokens_per_second", "output_tokens"] as const).map((field) =>
    relation(
      [`${field}_p95`, field],
      (values) => isAtMost(values[field], values[`${field}_p95`]),
      `is below ${field}`,
      `${field} or more`,
    ),
  ),
);

/** One of `providers`. */
export const providerEntry = z.discriminatedUnion(
  "kind",
  [
    openAiProvider,
    glmProvider,
    openRouterProvider,
    geminiProvider,
    anthropicProvider,
    ollamaProvider,
    simulatorProvider,
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? "openai, glm, openrouter, gemini, anthropic, ollama or simulator"
        : "a map (key: value)",
  },
);

/** `providers` in the file. */
export const providersSection = z
  .record(line(NAME_RIGHT, /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/), providerEntry, {
    error: (issue) => (issue.code === "invalid_key" ? NAME_RIGHT : "a map of providers by name"),
  })
  .meta({
    description:
      "Who serves models, by name. Given together with `models`; without both, the built-in models are there.",
  });
