import * as z from "zod";

import { parseApiKey } from "../values/api-key.ts";
import { BASE_URL_RIGHT, parseBaseUrl } from "../values/base-url.ts";
import {
  decimalNumber,
  duration,
  filePath,
  isAtMost,
  line,
  onlyOneOf,
  parsedText,
  relation,
  section,
  wholeNumber,
} from "./fields.ts";
import { providerRetrySection } from "./retry-section.ts";

const NAME_RIGHT = "a name of 1 to 64 letters, digits, `_`, `-` or `.`, beginning with a letter or digit";

const ratio = (description: string) => decimalNumber({ min: 0, max: 1 }, { description });

/** A provider of kind `openai`. */
export const openAiProvider = section({
  kind: z.literal("openai").meta({
    title: "openai",
    description: "A server that speaks OpenAI's chat completions over HTTP.",
  }),
  base_url: parsedText(BASE_URL_RIGHT, parseBaseUrl).meta({
    title: "URL",
    description: "The http or https URL to which `/chat/completions` is appended.",
    examples: ["https://open.bigmodel.cn/api/paas/v4", "http://127.0.0.1:11434/v1"],
  }),
  api_key: parsedText("the key as text", parseApiKey)
    .optional()
    .meta({
      title: "text",
      description:
        "The key sent as `Authorization: Bearer …`. Leave it out for servers that want none. Better a variable than the key itself.",
      examples: [`\${GLM_API_KEY}`],
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
  retry: providerRetrySection.optional(),
}).check(onlyOneOf("api_key_file", "api_key"));

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
);

/** `providers` in the file. */
export const providersSection = z
  .record(
    line(NAME_RIGHT, /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/),
    z.discriminatedUnion("kind", [openAiProvider, simulatorProvider], {
      error: (issue) => (issue.code === "invalid_union" ? "openai or simulator" : "a map (key: value)"),
    }),
    { error: (issue) => (issue.code === "invalid_key" ? NAME_RIGHT : "a map of providers by name") },
  )
  .meta({
    description:
      "Who serves models, by name. Given together with `models`; without both, the built-in GLM models are there.",
  });
