import type { Deployment, Model } from "../domain/deployment.ts";
import { assembleUsdPrice, type CatalogConfig, dropUnset } from "./assemble-config.ts";
import { findNearName } from "./near-name.ts";
import { findParameterRules } from "./parameter-rules.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ConfigFile } from "./schema/config-schema.ts";
import { childValue } from "./schema/schema-node.ts";

type Change = NonNullable<ConfigFile["catalog"]>[string];

/** The models that a file's `catalog` leaves out, also where the file is wrong otherwise. */
export function listDisabled(catalog: unknown): ReadonlySet<string> {
  if (typeof catalog !== "object" || catalog === null) return new Set();
  const entries = Object.entries(catalog);
  return new Set(
    entries.flatMap(([name, change]) => (childValue(change, "disabled") === true ? [name] : [])),
  );
}

/** Changes single built-in models as the file says. A name that is no model's is a problem. */
export function changeCatalog(
  builtIn: CatalogConfig,
  changes: ConfigFile["catalog"],
  source: string,
): { readonly catalog: CatalogConfig; readonly problems: readonly ConfigProblem[] } {
  const entries = Object.entries(changes ?? {});
  const names = new Set(builtIn.models.map(({ name }) => name));
  const problems = entries
    .filter(([name]) => !names.has(name))
    .map(([name]): ConfigProblem => {
      const near = findNearName(name, [...names]);
      const right = near === undefined ? "the name of one of them" : `one of them; did you mean ${near}?`;
      return { source, path: `catalog.${name}`, wrong: "is no built-in model that is served here", right };
    });
  const byName = new Map(entries);
  const models = builtIn.models
    .filter(({ name }) => byName.get(name)?.disabled !== true)
    .map((model) => changeModel(model, byName.get(model.name), builtIn));
  if (models.length === 0 && names.size > 0) {
    const right = "at least one model that is not disabled";
    problems.push({ source, path: "catalog", wrong: "disables every model", right });
  }
  const deploymentLimits = new Map(builtIn.deploymentLimits);
  for (const { id, concurrencyLimit } of models.flatMap((model) => model.deployments)) {
    if (concurrencyLimit !== undefined) {
      deploymentLimits.set(id, { ...deploymentLimits.get(id), concurrencyLimit });
    }
  }
  return { catalog: { ...builtIn, models, deploymentLimits }, problems };
}

function changeModel(model: Model, change: Change | undefined, builtIn: CatalogConfig): Model {
  if (change === undefined) return model;
  const price = change.price_usd_per_million_tokens;
  const capabilities = {
    ...model.capabilities,
    ...dropUnset({
      contextWindowTokens: change.context_window_tokens,
      maxOutputTokens: change.max_output_tokens,
      vision: change.vision,
      tools: change.tools,
      jsonObject: change.json_object,
      jsonSchema: change.json_schema,
      longContext: change.long_context,
    }),
  };
  return {
    ...model,
    capabilities,
    tiers: { ...model.tiers, ...dropUnset(change.tiers ?? {}) },
    price: price === undefined ? model.price : assembleUsdPrice(price),
    taskSuitability: { ...model.taskSuitability, ...dropUnset(change.task_suitability) },
    deployments: model.deployments.map((deployment, index) =>
      index === 0
        ? changeDeployment({ ...deployment, capabilities }, change, builtIn)
        : { ...deployment, capabilities },
    ),
  };
}

function changeDeployment(deployment: Deployment, change: Change, { providers }: CatalogConfig): Deployment {
  const { price, ...unpriced } = deployment;
  const upstreamModel = change.upstream_model ?? deployment.upstreamModel;
  const isOther = upstreamModel !== deployment.upstreamModel;
  const kind = providers.find(({ name }) => name === deployment.provider)?.kind ?? "openai";
  // A list of the model that was there before would be wrong.
  const isRepriced = isOther || change.price_usd_per_million_tokens !== undefined;
  return {
    ...unpriced,
    ...(price !== undefined && !isRepriced && { price }),
    ...(isOther && {
      // The built-in name stays in it, since another model may have that upstream model already.
      id: `${deployment.provider}/${upstreamModel}:${deployment.model}`,
      upstreamModel,
      parameters: findParameterRules(kind, upstreamModel),
    }),
    requestOverrides: change.request_overrides ?? deployment.requestOverrides,
    ...(change.thinking !== undefined && { thinking: change.thinking }),
    concurrencyLimit: change.concurrency ?? deployment.concurrencyLimit,
    ...(change.min_interval !== undefined && { minIntervalMs: change.min_interval }),
  };
}
