import { parseNumberRange, RANGE_PATTERN, RANGE_RIGHT } from "../values/number-range.ts";
import { optionalFlag, parsedText, section, wholeNumber } from "./fields.ts";

const range = (description: string) =>
  parsedText(RANGE_RIGHT, parseNumberRange)
    .optional()
    .meta({ title: "range", pattern: RANGE_PATTERN, description, examples: ["0..1", "none"] });

/** `models[].deployments[].parameters` in the file. */
export const parametersSection = section({
  temperature: range("The temperatures it takes; others are cut to it."),
  top_p: range("The `top_p` it takes; others are cut to it."),
  temperature_with_top_p: optionalFlag({
    description: "Whether it takes the two together; else `top_p` is left out where both are asked.",
  }),
  stop_sequences: wholeNumber(
    { min: 0, max: 4 },
    { description: "The most stop sequences it takes; requests with more go elsewhere." },
  ).optional(),
  forced_tool_calls: optionalFlag({
    description: "Whether a call of a tool can be demanded; else such requests go elsewhere.",
  }),
  image_urls: optionalFlag({
    description: "Whether it takes images by address; else such requests go elsewhere.",
  }),
  image_detail: optionalFlag({ description: "Whether it takes `detail` of images; else it is left out." }),
  speaker_names: optionalFlag({ description: "Whether it takes `name` of messages; else it is left out." }),
  thinking: optionalFlag({
    description:
      "Whether it can be told to think first or not to; else `thinking` is left out. For the kinds glm, openrouter and ollama; usual are Zhipu's models from glm-4.5 on, but glm-5.3, and with the kind openai DeepSeek's from v4 on, which then never think where there are tools.",
  }),
})
  .prefault({})
  .meta({
    description:
      "Which parameters it takes, where that differs from what is usual for its provider's kind and model. What is cut or left out is told to the caller.",
  });
