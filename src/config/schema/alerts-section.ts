import { decimalNumber, plainDuration, section, wholeNumber } from "./fields.ts";

const ratio = (description: string) => decimalNumber({ min: 0, max: 1 }, { description }).optional();

/** `alerts` in the file. */
export const alertsSection = section({
  window: plainDuration(
    { minMs: 5_000, maxMs: 3_600_000 },
    {
      description:
        "The figures are of this long. An alert is over when its figure has been good for as long.",
    },
  ).prefault("60s"),
  min_samples: wholeNumber(
    { min: 1, max: 1_000_000 },
    { description: "Fewer attempts or requests than this raise no alert." },
  ).default(20),
  success_ratio: ratio("An alert when less than this share of a model's attempts succeed."),
  first_token: plainDuration(
    { minMs: 1, maxMs: 3_600_000 },
    { description: "An alert when a model's mean time to the first token is longer." },
  ).optional(),
  error_ratio: ratio("An alert when more than this share of requests end in an error."),
  fallback_ratio: ratio(
    "An alert when more than this share of requests are answered by another deployment than the first.",
  ),
}).meta({
  description:
    "When to tell operators, in the log and on the bus. A figure that is left out raises no alert.",
});
