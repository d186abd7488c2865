import { isLoopbackHost } from "../lib/loopback.ts";
import type { Config, ProviderConfig } from "./config.ts";
import { USUAL_ROLES } from "./schema/chain-section.ts";

/** What the operator should know of a valid configuration. Sentences without secrets. */
export function listNotices(
  { providers, models, targets }: Pick<Config, "providers" | "models" | "targets">,
  isBuiltIn: boolean,
): string[] {
  const notices: string[] = [];
  const deployments = models.flatMap((model) => model.deployments);
  if (isBuiltIn && deployments.every((deployment) => deployment.simulated)) {
    notices.push(
      "SIMULATION: no configuration names models and no provider's key is set (GLM_API_KEY, OPENAI_API_KEY and others), so the built-in models run on a simulator. No answer comes from a language model.",
    );
  } else if (deployments.some((deployment) => deployment.simulated)) {
    notices.push(
      "SIMULATION: some deployments run on a simulator; their answers come from no language model.",
    );
  }
  for (const provider of providers) {
    if (sendsKeyInTheClear(provider)) {
      notices.push(
        `INSECURE: provider "${provider.name}" sends its key over http to another machine; anyone on the way can read it. Use https.`,
      );
    }
    if (!deployments.some((deployment) => deployment.provider === provider.name)) {
      notices.push(`Provider "${provider.name}" serves no deployment.`);
    }
  }
  for (const { name, roles } of targets.chains) {
    const ordered = roles.map(({ role }) => USUAL_ROLES.indexOf(role)).filter((index) => index >= 0);
    if (ordered.some((index, at) => index < (ordered[at - 1] ?? 0))) {
      const written = roles.map(({ role }) => role).join(", ");
      notices.push(
        `Chain "${name}" tries its roles in the order ${written}, as written; the usual order is ${USUAL_ROLES.join(", ")}.`,
      );
    }
  }
  return notices;
}

function sendsKeyInTheClear(provider: ProviderConfig): boolean {
  if (provider.kind === "simulator" || provider.apiKey === undefined) return false;
  const url = new URL(provider.baseUrl);
  return url.protocol === "http:" && !isLoopbackHost(url.hostname);
}
