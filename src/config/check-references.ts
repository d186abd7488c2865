import { deriveDeploymentId } from "./deployment-ids.ts";
import { findNearName } from "./near-name.ts";
import { THINKING_KINDS, thinksAtOpenAi } from "./parameter-rules.ts";
import { type ConfigProblem, quoteName, type ValuePath } from "./problem.ts";
import { childValue, valueAt } from "./schema/schema-node.ts";
import type { YamlSource } from "./yaml-source.ts";

/**
 * Checks what one part of the file says of another: providers and models come together,
 * deployments name known providers, names and ids are unique. Works on data that may be
 * wrong otherwise, so that all problems come at once.
 */
export function checkReferences(root: unknown, file: YamlSource): ConfigProblem[] {
  const providers = childValue(root, "providers");
  const models = childValue(root, "models");
  return [
    ...checkTogether(providers, models, file),
    ...(Array.isArray(models)
      ? [
          ...checkProviderNames(root, models, file),
          ...checkThinking(providers, models, file),
          ...checkUnique(models, file),
        ]
      : []),
  ];
}

function checkTogether(providers: unknown, models: unknown, file: YamlSource): ConfigProblem[] {
  if ((providers === undefined) === (models === undefined)) return [];
  const [given, left] = providers === undefined ? ["models", "providers"] : ["providers", "models"];
  if (file.isBroken(["models"]) || file.isBroken(["providers"])) return [];
  return [
    file.problemAtKey(
      [given],
      `is given without ${left}`,
      "both, or neither to keep the built-in models; the file replaces them as a whole",
    ),
  ];
}

function checkProviderNames(root: unknown, models: readonly unknown[], file: YamlSource): ConfigProblem[] {
  const providers = childValue(root, "providers");
  if (typeof providers !== "object" || providers === null || Array.isArray(providers)) return [];
  const known = Object.keys(providers);
  return listDeployments(models).flatMap(({ deployment, path }) => {
    const provider = childValue(deployment, "provider");
    const providerPath = [...path, "provider"];
    if (typeof provider !== "string" || known.includes(provider) || file.isBroken(providerPath)) return [];
    const near = findNearName(provider, known);
    // A value from the environment may be a key that was put in the wrong place.
    const name = file.isInterpolated(providerPath) ? "" : ` ${quoteName(provider)}`;
    const right =
      near === undefined
        ? `one of ${known.map(quoteName).join(", ")}`
        : `${quoteName(near)} (did you mean that?)`;
    return [file.problemAt(providerPath, `names a provider${name} that is not there`, right)];
  });
}

/** Where a provider has no word for it the setting would do nothing. */
function checkThinking(providers: unknown, models: readonly unknown[], file: YamlSource): ConfigProblem[] {
  return listDeployments(models).flatMap(({ deployment, modelName, path }) => {
    const provider = childValue(deployment, "provider");
    const kind =
      typeof provider === "string" ? childValue(childValue(providers, provider), "kind") : undefined;
    if (typeof kind !== "string" || THINKING_KINDS.has(kind)) return [];
    const upstreamModel = childValue(deployment, "upstream_model") ?? modelName;
    if (kind === "openai" && typeof upstreamModel === "string" && thinksAtOpenAi(upstreamModel)) return [];
    const kinds = [...THINKING_KINDS].join(", ");
    const right = `to leave it out: only providers of the kinds ${kinds} can be told`;
    const given = [
      ...(childValue(deployment, "thinking") === undefined ? [] : [["thinking"]]),
      ...(childValue(childValue(deployment, "parameters"), "thinking") === true
        ? [["parameters", "thinking"]]
        : []),
    ];
    return given.map((member) =>
      file.problemAtKey([...path, ...member], `means nothing to a provider of kind ${kind}`, right),
    );
  });
}

function checkUnique(models: readonly unknown[], file: YamlSource): ConfigProblem[] {
  const names = models.map((model, index) => ({
    text: childValue(model, "name"),
    path: ["models", index, "name"],
  }));
  const ids = listDeployments(models).map(({ deployment, path }) => {
    const id = childValue(deployment, "id");
    const text = id ?? deriveDeploymentId(deployment, valueAt(models, path.slice(1, 2)));
    return { text, path: id === undefined ? path : [...path, "id"] };
  });
  return [
    ...listRepeated(names, "the name of an earlier model", "a name of its own", file),
    ...listRepeated(ids, "the id of an earlier deployment", "an `id` of its own", file),
  ];
}

function listRepeated(
  entries: readonly { readonly text: unknown; readonly path: ValuePath }[],
  whose: string,
  right: string,
  file: YamlSource,
): ConfigProblem[] {
  const seen = new Set<string>();
  return entries.flatMap(({ text, path }) => {
    if (typeof text !== "string" || file.isBroken(path)) return [];
    if (seen.has(text)) return [file.problemAt(path, `has ${whose}`, right)];
    seen.add(text);
    return [];
  });
}

function listDeployments(
  models: readonly unknown[],
): { deployment: unknown; modelName: unknown; path: ValuePath }[] {
  return models.flatMap((model, modelIndex) => {
    const deployments = childValue(model, "deployments");
    if (!Array.isArray(deployments)) return [];
    return deployments.map((deployment: unknown, index) => ({
      deployment,
      modelName: childValue(model, "name"),
      path: ["models", modelIndex, "deployments", index],
    }));
  });
}
