/** The whole configuration, validated. Every duration is in milliseconds here; in the file it is text such as `30s`. */

import type { AlertRules } from "../domain/alert-rules.ts";
import type { Model } from "../domain/deployment.ts";
import type { FailureClass } from "../domain/outcome.ts";
import type { ContextOverflow, Priority, PriorityWeights } from "../domain/request.ts";
import type { SimulatedBehaviour } from "../domain/simulation.ts";
import type { BreakerPreset, TargetName, Targets } from "../domain/targets.ts";
import type { Secret } from "../lib/secret.ts";
import type { AuthConfig, CorsConfig, ImagesConfig } from "./access-config.ts";
import type { NatsConfig } from "./nats-config.ts";
import type { ServerLimits } from "./server-limits.ts";

export interface Config {
  readonly server: ServerConfig;
  readonly providers: readonly ProviderConfig[];
  /** The catalog, in order; names are unique; never empty. */
  readonly models: readonly Model[];
  /** Of deployments that have limits, by id. */
  readonly deploymentLimits: ReadonlyMap<string, DeploymentLimits>;
  /** What requests may aim at beside models and providers; every reference in it holds. */
  readonly targets: Targets;
  readonly routing: RoutingConfig;
  readonly telemetry: TelemetryConfig;
  /** Undefined raises no alerts. */
  readonly alerts?: AlertRules | undefined;
  /** Undefined means that this replica works alone. */
  readonly nats?: NatsConfig | undefined;
  /** Undefined means that whoever reaches the address may call. */
  readonly auth?: AuthConfig | undefined;
  /** Undefined means that no web page may call. */
  readonly cors?: CorsConfig | undefined;
  /** Undefined means `pass`. */
  readonly images?: ImagesConfig | undefined;
}

export interface ServerConfig {
  /** Where callers connect. Port 0 takes a free one. */
  readonly address: Address;
  /** Where Prometheus and operators connect, or undefined for none. */
  readonly adminAddress: Address | undefined;
  /** Undefined means cleartext. */
  readonly tls: TlsConfig | undefined;
  /** Whether the admin address serves TLS too, with the same certificate. */
  readonly adminTls: boolean;
  /** Names, without ports, by which callers may call the server; undefined leaves it to where the port is bound. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether gRPC reflection is served. */
  readonly reflection: boolean;
  /** The most bytes a request may have, decompressed. */
  readonly maxRequestBytes: number;
  /** The most bytes the headers of a request may have. */
  readonly maxHeaderBytes: number;
  /** The time limit of unary calls whose caller gives none. */
  readonly defaultTimeoutMs: number;
  /** The time limit of streams whose caller gives none. */
  readonly defaultStreamTimeoutMs: number;
  /** Longer time limits of callers are cut to this. */
  readonly maxTimeoutMs: number;
  /** On SIGTERM: how long health says NOT_SERVING while new calls are still taken. */
  readonly drainDelayMs: number;
  /** On SIGTERM: how long calls under way may go on after that. */
  readonly drainTimeoutMs: number;
  /** What connections may do. */
  readonly limits: ServerLimits;
}

export interface Address {
  /** A host name or an IP address; IPv6 without brackets. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

export interface TlsConfig {
  /** Path of the PEM certificate chain. */
  readonly certificateFile: string;
  /** Path of the PEM private key. */
  readonly privateKeyFile: string;
  /** Path of the PEM certificates that client certificates are checked against; undefined asks for none. */
  readonly clientCaFile?: string | undefined;
}

export type ProviderConfig =
  | OpenAiProviderConfig
  | GlmProviderConfig
  | OpenRouterProviderConfig
  | AnthropicProviderConfig
  | OllamaProviderConfig
  | GeminiProviderConfig
  | SimulatorProviderConfig;

/** What providers over HTTP have in common. */
export interface HttpProviderConfig {
  readonly name: string;
  /** http or https, without a trailing slash; the path of the provider's API is appended. */
  readonly baseUrl: string;
  /** Undefined for servers that want none. */
  readonly apiKey: Secret | undefined;
  /** The most connections held open to it; each running attempt holds one. */
  readonly maxConnections: number;
  /** How long a connection may take to open. */
  readonly connectTimeoutMs: number;
  /** Whether its list of models is asked at the start; undefined means yes. */
  readonly probe?: boolean;
}

/** A server that speaks OpenAI's chat completions over HTTP; `/chat/completions` is appended. */
export interface OpenAiProviderConfig extends HttpProviderConfig {
  readonly kind: "openai";
}

/** Zhipu's servers, bigmodel.cn and Z.ai; `/chat/completions` is appended. */
export interface GlmProviderConfig extends HttpProviderConfig {
  readonly kind: "glm";
}

/** OpenRouter; `/chat/completions` is appended. */
export interface OpenRouterProviderConfig extends HttpProviderConfig {
  readonly kind: "openrouter";
}

/** Gemini's endpoint in OpenAI's style; `/chat/completions` is appended. */
export interface GeminiProviderConfig extends HttpProviderConfig {
  readonly kind: "gemini";
}

/** A server that speaks Anthropic's Messages over HTTP; `/v1/messages` is appended. */
export interface AnthropicProviderConfig extends HttpProviderConfig {
  readonly kind: "anthropic";
}

/** A server that speaks Ollama's own API over HTTP; `/api/chat` is appended. */
export interface OllamaProviderConfig extends HttpProviderConfig {
  readonly kind: "ollama";
}

/** Answers without a language model. */
export interface SimulatorProviderConfig {
  readonly kind: "simulator";
  readonly name: string;
  /** From dispatch to the first token. */
  readonly timeToFirstTokenMs: number;
  /** Tokens per second after the first. */
  readonly tokensPerSecond: number;
  /** Tokens of an answer, unless the request allows fewer. */
  readonly outputTokens: number;
  /** The share of attempts that fail before the first token, 0 to 1. */
  readonly failureRatio: number;
  /** The share of attempts that never answer, 0 to 1. */
  readonly hangRatio: number;
  /** The share of attempts that break off in the middle, 0 to 1. */
  readonly cutRatio: number;
  /** Makes the failures repeatable. Undefined draws them anew at each start. */
  readonly seed: number | undefined;
  /** Undefined: the figures do not vary, and there are no limits and no schedule. */
  readonly behaviour?: SimulatedBehaviour | undefined;
}

/** What a deployment may be given at most; undefined means no limit. */
export interface DeploymentLimits {
  /** Attempts in flight at once, 1 or more; `Deployment.concurrencyLimit` is the same figure. */
  readonly concurrencyLimit?: number;
  /** 1 or more. */
  readonly requestsPerMinute?: number;
  /** Of prompts and answers together, 1 or more. */
  readonly tokensPerMinute?: number;
}

export interface RoutingConfig {
  /** The most attempts per request, 1 or more. */
  readonly maxAttempts: number;
  readonly timeouts: AttemptTimeouts;
  /** Of deployments whose target has no breaker of its own. */
  readonly breaker: BreakerPreset;
  /** The most attempts waiting for a deployment's concurrency limit, 0 or more. */
  readonly maxWaitingAttempts: number;
  /** Whether the choice learns from success and speed. */
  readonly performanceTracking: boolean;
  readonly retry: RetryConfig;
  /** Whole strategies of the providers that have their own, by name. */
  readonly providerRetry: ReadonlyMap<string, RetryConfig>;
  readonly budgets: BudgetsConfig;
  readonly hedging: HedgingConfig;
  /** The three weights of each priority add up to 1. */
  readonly weights: Readonly<Record<Priority, PriorityWeights>>;
  readonly bestOfTwo: BestOfTwoConfig;
  /** What to do with a prompt that no candidate has room for, where the request does not say. */
  readonly contextOverflow?: ContextOverflow;
}

/** How an attempt is tried again at the same deployment. */
export interface RetryConfig {
  /** 0 or more. */
  readonly maxRetries: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Each delay is this many times the one before, 1 or more. */
  readonly multiplier: number;
  /** The share of the delay that chance may take off, 0 to 1. */
  readonly jitterRatio: number;
  /** The failures after which there is a retry. */
  readonly retryClasses: ReadonlySet<FailureClass>;
}

/** How many extra attempts there may be. */
export interface BudgetsConfig {
  /** Retries and fallbacks together. */
  readonly extra: BudgetConfig;
  readonly hedges: BudgetConfig;
}

export interface BudgetConfig {
  /** Attempts that each request pays for, 0 or more: 0.2 allows one in five. */
  readonly ratio: number;
  /** Attempts per second besides, 0 or more. */
  readonly perSecond: number;
}

export interface HedgingConfig {
  readonly enabled: boolean;
  /** The least time before a second deployment is asked. */
  readonly minDelayMs: number;
}

export interface BestOfTwoConfig {
  /** Undefined means the router's choice. */
  readonly judge: TargetName | undefined;
  readonly judgeTimeoutMs: number;
}

export interface AttemptTimeouts {
  /** From dispatch to the first delta. */
  readonly firstTokenMs: number;
  /** Between two reads from the provider. */
  readonly idleMs: number;
  /** From dispatch to the end. */
  readonly totalMs: number;
}

export interface TelemetryConfig {
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
}
