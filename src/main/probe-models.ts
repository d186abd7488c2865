/** Asks providers, once at the start, whether they have the models of the catalog. */

import type { Deployment } from "../domain/deployment.ts";
import type { Logger, Provider } from "../domain/ports.ts";

/** What a probe needs. */
export interface ProbeParts {
  /** Those whose list is to be asked, by name. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly deployments: readonly Deployment[];
  readonly logger: Logger;
  /** Keeps a deployment out of use for a while. */
  setAside(deployment: Deployment): void;
}

const LIST_TIMEOUT_MS = 5_000;

/** Ways to route that OpenRouter takes after a model's name; they are not in its list. */
const ROUTE_SUFFIX = /:(?:nitro|floor|online|exacto|thinking)$/;

/**
 * Sets deployments aside whose provider has a list of models without theirs. A provider
 * that has no list, does not answer, or lists none of its deployments' models, which is a
 * list of other names, changes nothing. Never rejects.
 */
export async function probeModels(parts: ProbeParts): Promise<void> {
  const probes = [...parts.providers].map(async ([name, provider]) => {
    const own = parts.deployments.filter((deployment) => deployment.provider === name);
    if (own.length === 0 || provider.simulated || provider.listModels === undefined) return;
    const listed = await provider.listModels(LIST_TIMEOUT_MS);
    if (listed === undefined) {
      parts.logger.info("the provider did not list its models: all of them are taken to be there", {
        provider: name,
      });
      return;
    }
    if (!own.some(({ upstreamModel }) => isListed(upstreamModel, listed))) {
      // Azure lists base models instead of deployments, and llama.cpp's server a file, whatever it is asked for.
      parts.logger.warn(
        "the provider lists none of its models by the names here: all are taken to be there",
        {
          provider: name,
          count: listed.length,
        },
      );
      return;
    }
    for (const deployment of own.filter(({ upstreamModel }) => !isListed(upstreamModel, listed))) {
      const { id, model, upstreamModel } = deployment;
      parts.setAside(deployment);
      parts.logger.warn(
        "the provider does not list this model: the deployment is set aside for ten minutes, then tried again",
        { provider: name, model, deployment: id, upstreamModel, count: listed.length },
      );
    }
  });
  await Promise.all(probes);
}

/** Names that mean the newest of a family, which lists have under its dates: `…-latest`, and Anthropic's `…-4-0`. */
const NEWEST_SUFFIX = /-(?:latest|0)$/;

/** Whether a list has a model, be it under a dated name, Ollama's usual tag, or without Gemini's folder or a way to route. */
export function isListed(upstreamModel: string, listed: readonly string[]): boolean {
  const name = upstreamModel.replace(ROUTE_SUFFIX, "").replace(/^models\//, "");
  const family = name.replace(NEWEST_SUFFIX, "");
  return listed.some((each) => each === name || each === `${name}:latest` || each.startsWith(`${family}-2`));
}
