/** The whole configuration, validated. Every duration is in milliseconds here; in the file it is text such as `30s`. */

import type { Model } from "../domain/deployment.ts";
import type { Secret } from "../lib/secret.ts";

export interface Config {
  readonly server: ServerConfig;
  readonly providers: readonly ProviderConfig[];
  /** The catalog, in order; names are unique; never empty. */
  readonly models: readonly Model[];
  readonly routing: RoutingConfig;
  readonly telemetry: TelemetryConfig;
}

export interface ServerConfig {
  /** Where callers connect. Port 0 takes a free one. */
  readonly address: Address;
  /** Where Prometheus and operators connect, or undefined for none. */
  readonly adminAddress: Address | undefined;
  /** Undefined means cleartext. */
  readonly tls: TlsConfig | undefined;
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
}

export type ProviderConfig = OpenAiProviderConfig | SimulatorProviderConfig;

/** A server that speaks OpenAI's chat completions over HTTP. */
export interface OpenAiProviderConfig {
  readonly kind: "openai";
  readonly name: string;
  /** http or https, without a trailing slash; `/chat/completions` is appended. */
  readonly baseUrl: string;
  /** Undefined for servers that want none. */
  readonly apiKey: Secret | undefined;
  /** The most connections held open to it; each running attempt holds one. */
  readonly maxConnections: number;
  /** How long a connection may take to open. */
  readonly connectTimeoutMs: number;
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
}

export interface RoutingConfig {
  /** The most attempts per request, 1 or more. */
  readonly maxAttempts: number;
  readonly timeouts: AttemptTimeouts;
  readonly breaker: BreakerConfig;
  /** The most attempts waiting for a deployment's concurrency limit, 0 or more. */
  readonly maxWaitingAttempts: number;
}

export interface AttemptTimeouts {
  /** From dispatch to the first delta. */
  readonly firstTokenMs: number;
  /** Between two reads from the provider. */
  readonly idleMs: number;
  /** From dispatch to the end. */
  readonly totalMs: number;
}

export interface BreakerConfig {
  /** Consecutive failures that open a deployment's breaker, 1 or more. */
  readonly failureThreshold: number;
  /** How long it stays open before one attempt may try. */
  readonly recoveryTimeMs: number;
}

export interface TelemetryConfig {
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
}
