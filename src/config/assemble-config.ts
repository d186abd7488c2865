import { resolve } from "node:path";

import type { Deployment, Model, ModelPrice } from "../domain/deployment.ts";
import { Secret } from "../lib/secret.ts";
import { assembleBehaviour } from "./assemble-behaviour.ts";
import { assembleServerLimits } from "./assemble-limits.ts";
import { assemblePriceList } from "./assemble-price.ts";
import type { Config, DeploymentLimits, ProviderConfig, ServerConfig } from "./config.ts";
import { findParameterRules } from "./parameter-rules.ts";
import type { ConfigFile, ModelEntry, ProviderEntry } from "./schema/config-schema.ts";

/** What a valid file says of the server. Relative TLS paths start at `folder`. */
export function assembleServer(file: ConfigFile, folder: string): ServerConfig {
  const { server } = file;
  return {
    address: server.address,
    adminAddress: server.admin_address,
    tls: server.tls && {
      certificateFile: resolve(folder, server.tls.certificate_file),
      privateKeyFile: resolve(folder, server.tls.private_key_file),
      ...(server.tls.client_ca_file && { clientCaFile: resolve(folder, server.tls.client_ca_file) }),
    },
    adminTls: server.admin_tls,
    ...(server.allowed_hosts && { allowedHosts: server.allowed_hosts }),
    reflection: server.reflection,
    maxRequestBytes: server.max_request_bytes,
    maxHeaderBytes: server.max_header_bytes,
    defaultTimeoutMs: server.default_timeout,
    defaultStreamTimeoutMs: server.default_stream_timeout,
    maxTimeoutMs: server.max_timeout,
    drainDelayMs: server.drain_delay,
    drainTimeoutMs: server.drain_timeout,
    limits: assembleServerLimits(server.limits),
  };
}

/** Who serves what, within which limits. */
export type CatalogConfig = Pick<Config, "providers" | "models" | "deploymentLimits">;

/** The providers and models of a valid file that has both; `apiKeys` are those from key files. */
export function assembleCatalog(
  providers: Readonly<Record<string, ProviderEntry>>,
  models: readonly ModelEntry[],
  apiKeys: ReadonlyMap<string, string>,
): CatalogConfig {
  const assembled = models.map((entry) => assembleModel(entry, providers));
  return {
    providers: Object.entries(providers).map(([name, entry]) =>
      assembleProvider(name, entry, apiKeys.get(name)),
    ),
    models: assembled,
    deploymentLimits: assembleLimits(assembled, models),
  };
}

/** By id; deployments without limits are left out. */
function assembleLimits(
  models: readonly Model[],
  entries: readonly ModelEntry[],
): ReadonlyMap<string, DeploymentLimits> {
  const limits = new Map<string, DeploymentLimits>();
  for (const [modelIndex, { deployments }] of models.entries()) {
    for (const [index, { id, concurrencyLimit }] of deployments.entries()) {
      const { rpm, tpm } = entries[modelIndex]?.deployments[index]?.limits ?? {};
      const given: DeploymentLimits = {
        ...(concurrencyLimit !== undefined && { concurrencyLimit }),
        ...(rpm !== undefined && { requestsPerMinute: rpm }),
        ...(tpm !== undefined && { tokensPerMinute: tpm }),
      };
      if (Object.keys(given).length > 0) limits.set(id, given);
    }
  }
  return limits;
}

/** One provider; `key` is used where the entry itself has none. */
export function assembleProvider(
  name: string,
  entry: ProviderEntry,
  key: string | undefined,
): ProviderConfig {
  if (entry.kind === "simulator") {
    return {
      kind: "simulator",
      name,
      timeToFirstTokenMs: entry.time_to_first_token,
      tokensPerSecond: entry.tokens_per_second,
      outputTokens: entry.output_tokens,
      failureRatio: entry.failure_ratio,
      hangRatio: entry.hang_ratio,
      cutRatio: entry.cut_ratio,
      seed: entry.seed,
      behaviour: assembleBehaviour(entry),
    };
  }
  const apiKey = entry.api_key ?? key;
  return {
    kind: entry.kind,
    name,
    baseUrl: entry.base_url,
    apiKey: apiKey === undefined ? undefined : new Secret(apiKey),
    maxConnections: entry.max_connections,
    connectTimeoutMs: entry.connect_timeout,
    probe: entry.probe,
  };
}

function assembleModel(entry: ModelEntry, providers: Readonly<Record<string, ProviderEntry>>): Model {
  const price = entry.price_usd_per_million_tokens;
  const capabilities = {
    contextWindowTokens: entry.context_window_tokens,
    maxOutputTokens: entry.max_output_tokens,
    vision: entry.vision,
    tools: entry.tools,
    jsonObject: entry.json_object,
    jsonSchema: entry.json_schema,
    longContext: entry.long_context,
  };
  return {
    name: entry.name,
    description: entry.description,
    capabilities,
    tiers: entry.tiers,
    price: price && assembleUsdPrice(price),
    taskSuitability: dropUnset(entry.task_suitability),
    deployments: entry.deployments.map((deployment): Deployment => {
      const upstreamModel = deployment.upstream_model ?? entry.name;
      return {
        id: deployment.id ?? `${deployment.provider}/${upstreamModel}`,
        model: entry.name,
        provider: deployment.provider,
        upstreamModel,
        simulated: providers[deployment.provider]?.kind === "simulator",
        requestOverrides: deployment.request_overrides,
        ...(deployment.thinking !== undefined && { thinking: deployment.thinking }),
        ...(deployment.price !== undefined && { price: assemblePriceList(deployment.price) }),
        concurrencyLimit: deployment.limits.concurrency ?? deployment.concurrency_limit,
        ...(deployment.limits.min_interval !== undefined && {
          minIntervalMs: deployment.limits.min_interval,
        }),
        capabilities,
        parameters: findParameterRules(
          providers[deployment.provider]?.kind ?? "openai",
          upstreamModel,
          deployment.parameters,
        ),
      };
    }),
  };
}

/** A flat price in US dollars. */
export function assembleUsdPrice(price: NonNullable<ModelEntry["price_usd_per_million_tokens"]>): ModelPrice {
  return {
    inputNanoUsd: price.input,
    outputNanoUsd: price.output,
    ...(price.cached_input !== undefined && { cachedInputNanoUsd: price.cached_input }),
  };
}

/** An object without its undefined members. */
export function dropUnset<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
