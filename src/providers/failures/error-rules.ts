import type { FailureClass } from "../../domain/outcome.ts";

/** Whose documentation or behaviour a row comes from; `any` for all servers. */
export type RuleProvider = "zhipu" | "openai" | "openrouter" | "anthropic" | "ollama" | "gemini" | "any";

/** One row: every condition that is there must hold. */
export interface ErrorRule {
  readonly provider: RuleProvider;
  /** Whether the row holds for servers of that provider only: others mean something else by the same. */
  readonly isOwn?: true;
  readonly class: FailureClass;
  readonly statuses?: readonly number[];
  /** Equal to the error's code, its type or its `metadata.error_type`. */
  readonly codes?: readonly string[];
  /** Found in the error's message, or in the body when it is not JSON. */
  readonly message?: RegExp;
  /** Equal to OpenRouter's `metadata.limit_source`. */
  readonly limitSources?: readonly string[];
  /** OpenRouter's moderation gave its reasons. */
  readonly isFlagged?: true;
  /** The message names the time at which it will work again. */
  readonly tellsReset?: true;
}

/**
 * Which failure an error is; the first row that fits wins, so rows that read the
 * message stand before rows that read only a code, and bare statuses come last.
 * Every provider's rows are tried for every server, since gateways pass errors on and
 * the codes do not clash; only rows marked `isOwn` are kept to the provider's own servers.
 */
export const ERROR_RULES: readonly ErrorRule[] = [
  // GLM: 1210 is any bad parameter and also a prompt that does not fit; only the message tells.
  {
    provider: "zhipu",
    class: "context_length_exceeded",
    statuses: [400],
    codes: ["1210"],
    message: /tokens in request more than max tokens|max(imum)? (context|input|tokens)|超长/i,
  },
  // Its firewall answers with a page.
  { provider: "zhipu", class: "server_error", statuses: [405], message: /<!doctype|<html/i },
  { provider: "zhipu", class: "context_length_exceeded", codes: ["1261"] },
  { provider: "zhipu", class: "auth", codes: ["1000", "1001", "1002", "1003", "1004"] },
  { provider: "zhipu", class: "auth", codes: ["1110", "1111", "1112", "1121"] },
  { provider: "zhipu", class: "server_error", codes: ["1100", "1120", "1200", "1230", "1234"] },
  // 1113 comes with 429: no credit, or a plan's key at the wrong address.
  { provider: "zhipu", class: "quota_exhausted", codes: ["1113", "1304", "1309"] },
  { provider: "zhipu", class: "quota_exhausted", codes: ["1308", "1310"], tellsReset: true },
  { provider: "zhipu", class: "rate_limit", codes: ["1302", "1303", "1313"] },
  { provider: "zhipu", class: "overloaded", codes: ["1305", "1312"] },
  { provider: "zhipu", class: "model_unavailable", codes: ["1211", "1220", "1221", "1222", "1311"] },
  { provider: "zhipu", class: "content_filter", codes: ["1300", "1301"] },
  { provider: "zhipu", class: "invalid_request", codes: ["1210", "1212", "1213", "1214", "1215", "1231"] },
  { provider: "zhipu", class: "server_error", statuses: [500], codes: ["500"] },
  { provider: "zhipu", class: "model_unavailable", statuses: [434] },
  { provider: "zhipu", class: "invalid_request", statuses: [435] },

  {
    provider: "openai",
    class: "context_length_exceeded",
    statuses: [400, 413, 422],
    codes: ["context_length_exceeded", "string_above_max_length"],
  },
  {
    provider: "openai",
    class: "content_filter",
    statuses: [400],
    codes: ["invalid_prompt"],
    message: /safety|limited access to this content|policy/i,
  },
  {
    provider: "openai",
    class: "quota_exhausted",
    statuses: [429],
    codes: ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"],
  },
  {
    provider: "openai",
    class: "rate_limit",
    statuses: [429],
    codes: ["rate_limit_exceeded", "requests", "tokens"],
  },
  {
    provider: "openai",
    class: "content_filter",
    statuses: [400],
    codes: [
      "content_filter",
      "content_policy_violation",
      "moderation_blocked",
      "ResponsibleAIPolicyViolation",
    ],
  },
  { provider: "openai", class: "auth", statuses: [401], codes: ["invalid_api_key"] },
  { provider: "openai", class: "model_unavailable", statuses: [404], codes: ["model_not_found"] },
  { provider: "openai", class: "overloaded", statuses: [503], codes: ["server_is_overloaded", "slow_down"] },

  // Money refused for what is still under way comes back by itself.
  {
    provider: "openrouter",
    class: "rate_limit",
    statuses: [402],
    limitSources: ["openrouter_in_flight_budget"],
  },
  {
    provider: "openrouter",
    class: "quota_exhausted",
    statuses: [402, 403],
    limitSources: [
      "openrouter_guardrail_budget",
      "openrouter_workspace_budget",
      "openrouter_key_limit",
      "openrouter_credits",
    ],
  },
  { provider: "openrouter", class: "content_filter", statuses: [403], isFlagged: true },
  // OpenRouter puts the kind of error into metadata.error_type.
  { provider: "openrouter", class: "quota_exhausted", codes: ["token_limit_exceeded", "payment_required"] },
  { provider: "openrouter", class: "auth", codes: ["authentication", "permission_denied"] },
  { provider: "openrouter", class: "rate_limit", codes: ["rate_limit_exceeded"] },
  { provider: "openrouter", class: "overloaded", codes: ["provider_overloaded"] },
  { provider: "openrouter", class: "model_unavailable", codes: ["provider_unavailable", "not_found"] },
  { provider: "openrouter", class: "content_filter", codes: ["refusal"] },
  { provider: "openrouter", class: "timeout", codes: ["timeout"] },
  { provider: "openrouter", class: "server_error", codes: ["server", "unmapped"] },

  // Gateways in front of Anthropic pass its types on.
  { provider: "anthropic", class: "overloaded", codes: ["overloaded_error"] },
  { provider: "anthropic", class: "rate_limit", codes: ["rate_limit_error"] },
  { provider: "anthropic", class: "auth", codes: ["authentication_error", "permission_error"] },
  { provider: "anthropic", class: "quota_exhausted", codes: ["billing_error"] },
  { provider: "anthropic", class: "model_unavailable", codes: ["not_found_error"] },
  { provider: "anthropic", class: "timeout", codes: ["timeout_error"] },
  { provider: "anthropic", class: "invalid_request", codes: ["request_too_large"] },
  { provider: "anthropic", class: "server_error", statuses: [500], codes: ["api_error"] },
  {
    provider: "anthropic",
    class: "quota_exhausted",
    statuses: [400],
    codes: ["invalid_request_error"],
    message: /credit balance|spend limit|usage limit/i,
  },

  // Gemini answers a wrong key with 400.
  { provider: "gemini", class: "auth", statuses: [400], message: /API key not valid|API_KEY_INVALID/i },
  {
    provider: "gemini",
    class: "context_length_exceeded",
    statuses: [400],
    codes: ["INVALID_ARGUMENT"],
    message: /token count|exceeds the maximum number of tokens/i,
  },
  { provider: "gemini", class: "invalid_request", statuses: [400], codes: ["INVALID_ARGUMENT"] },
  { provider: "gemini", class: "model_unavailable", statuses: [400], codes: ["FAILED_PRECONDITION"] },
  { provider: "gemini", class: "auth", codes: ["UNAUTHENTICATED", "PERMISSION_DENIED"] },
  { provider: "gemini", class: "model_unavailable", statuses: [404], codes: ["NOT_FOUND"] },
  { provider: "gemini", class: "rate_limit", statuses: [429], codes: ["RESOURCE_EXHAUSTED"] },
  { provider: "gemini", class: "server_error", statuses: [500], codes: ["INTERNAL"] },
  { provider: "gemini", class: "overloaded", statuses: [503], codes: ["UNAVAILABLE"] },
  { provider: "gemini", class: "timeout", statuses: [504], codes: ["DEADLINE_EXCEEDED"] },

  // Ollama has no codes.
  {
    provider: "ollama",
    isOwn: true,
    class: "quota_exhausted",
    statuses: [402, 403],
    message: /subscription|billing|payment/i,
  },
  { provider: "ollama", isOwn: true, class: "quota_exhausted", statuses: [429], message: /usage limit/i },
  // A model of its maker's cloud that cannot be reached.
  { provider: "ollama", isOwn: true, class: "model_unavailable", statuses: [502] },

  // Servers that have no codes: the statuses keep words in the messages of other errors out.
  {
    provider: "any",
    class: "content_filter",
    statuses: [400, 422],
    message:
      /content (management |filtering )?policy|safety system|敏感内容|inappropriate content|Content Exists Risk/i,
  },
  {
    provider: "any",
    class: "context_length_exceeded",
    statuses: [400, 413, 422, 500],
    message:
      /maximum context length|context_length_exceeded|context window|too many (input )?tokens|(prompt|input) is too long|exceeds? (the )?context|Range of input length should be|超长/i,
  },
  {
    provider: "openai",
    class: "invalid_request",
    statuses: [400, 404, 409, 413, 415, 422],
    codes: ["invalid_request_error"],
  },
  {
    provider: "openrouter",
    class: "invalid_request",
    codes: [
      "invalid_request",
      "invalid_prompt",
      "max_tokens_exceeded",
      "string_too_long",
      "precondition_failed",
      "payload_too_large",
      "unprocessable",
      "invalid_image",
      "image_too_large",
      "image_too_small",
      "unsupported_image_format",
      "image_not_found",
      "image_download_failed",
    ],
  },
  { provider: "openai", class: "server_error", statuses: [500, 502], codes: ["server_error"] },

  // No host fits what the request demands.
  { provider: "openrouter", isOwn: true, class: "model_unavailable", statuses: [503] },

  { provider: "any", class: "auth", statuses: [401] },
  // Without a code it may be the model, the region or a firewall: only this deployment is set aside.
  { provider: "any", class: "model_unavailable", statuses: [403] },
  { provider: "any", class: "quota_exhausted", statuses: [402] },
  { provider: "any", class: "model_unavailable", statuses: [404, 410] },
  { provider: "any", class: "timeout", statuses: [408, 504, 524] },
  { provider: "any", class: "rate_limit", statuses: [425, 429] },
  { provider: "any", class: "overloaded", statuses: [503, 529] },
  // 499 is a proxy's word for "the client left", but we did not.
  { provider: "any", class: "server_error", statuses: [499] },
  {
    provider: "any",
    class: "invalid_request",
    statuses: [400, 405, 406, 409, 411, 413, 414, 415, 416, 422],
  },
];
