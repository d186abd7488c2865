import { type CatalogNames, type KnownName, listKnownNames } from "./known-names.ts";
import { findNearName } from "./near-name.ts";
import { type ConfigProblem, quoteName } from "./problem.ts";
import { valueAt } from "./schema/schema-node.ts";
import {
  listKeys,
  readReference,
  readTargetEntries,
  type TargetEntry,
  type TargetReference,
} from "./target-entries.ts";
import { TargetGraph } from "./target-graph.ts";
import type { YamlSource } from "./yaml-source.ts";

const NAMESPACE =
  "a name of its own: models, providers, groups, pools, chains and aliases share one set of names";

/** Larger files have a problem of their own, and following their references would take long. */
const MAX_ENTRY_COUNT = 5_000;

/**
 * Checks the names of the file: each means one thing, each reference leads to something
 * that is there and can serve, and none leads back to itself. Works on data that may be
 * wrong otherwise, so that all problems come at once.
 */
export function checkTargets(root: unknown, file: YamlSource, catalog: CatalogNames): ConfigProblem[] {
  const entries = readTargetEntries(root, file);
  if (entries.length > MAX_ENTRY_COUNT) return [];
  const known = listKnownNames(catalog, entries);
  const single = [
    ["defaults", "target"],
    ["routing", "best_of_two", "judge"],
  ].flatMap((path) => readReference(root, path, file));
  const problems = [
    ...entries.flatMap((entry) => checkRepeatedName(root, entry, file)),
    ...entries.flatMap((entry) => checkSwitch(root, entry, file)),
    ...listClashes(known, file),
  ];
  if (!catalog.isWhole) return problems;
  const unknown = [
    ...entries.flatMap(({ models }) => checkReferences(models, known, true, file)),
    ...checkReferences([...entries.flatMap(({ targets }) => targets), ...single], known, false, file),
    ...listKeys(root, ["pools"]).flatMap(([, path]) =>
      checkWeights(root, [...path, "weights"], catalog, file),
    ),
  ];
  problems.push(...unknown);
  if (unknown.length > 0) return problems;
  const graph = new TargetGraph(entries, known, catalog.servingProviders);
  const cycles = graph.findCycles();
  if (cycles.length > 0) {
    const right = "references that end at models";
    return [
      ...problems,
      ...cycles.map(({ at, names }) =>
        file.problemAt(at.path, `leads back to itself: ${names.map(quoteName).join(" → ")}`, right),
      ),
    ];
  }
  const empty = [
    ...entries.filter(({ kind, targets }) => (kind === "pool" || kind === "alias") && targets.length > 0),
    ...single,
  ].filter(({ name }) => !graph.serves(name));
  return [
    ...problems,
    ...empty.map(({ path }) =>
      file.problemAtKey(path, "stands for no deployment", "something that at least one model is part of"),
    ),
  ];
}

function listClashes(known: readonly KnownName[], file: YamlSource): ConfigProblem[] {
  const owners = new Map<string, KnownName>();
  return known.flatMap((entry) => {
    const { name, kind, path } = entry;
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, entry);
    if (owner === undefined || path === undefined || file.isBroken(path)) return [];
    // The catalog's own check says so of two models, and the pattern of names of the others.
    if ((kind === "model" && owner.kind === "model") || (owner.kind === "auto" && kind !== "provider")) {
      return [];
    }
    const taken =
      owner.kind === "auto" ? "is reserved for the router's own choice" : `${describe(owner.kind)} has too`;
    const wrong = `has a name that ${taken}`;
    return [
      kind === "model" ? file.problemAt(path, wrong, NAMESPACE) : file.problemAtKey(path, wrong, NAMESPACE),
    ];
  });
}

function describe(kind: KnownName["kind"]): string {
  return `${kind === "alias" || kind === "echelon" ? "an" : "a"} ${kind}`;
}

function checkReferences(
  references: readonly TargetReference[],
  known: readonly KnownName[],
  modelOnly: boolean,
  file: YamlSource,
): ConfigProblem[] {
  const kinds = new Map(known.toReversed().map(({ name, kind }) => [name, kind]));
  const what = modelOnly ? "model" : "target";
  return references.flatMap(({ name, path }) => {
    const kind = kinds.get(name);
    if (kind !== undefined && (!modelOnly || kind === "model")) return [];
    // A value from the environment may be a key that was put in the wrong place.
    const shown = file.isInterpolated(path) ? "" : ` ${quoteName(name)}`;
    if (kind !== undefined) {
      const wrong = `names${shown === "" ? "" : `${shown},`} what is no model but ${describe(kind)}`;
      return [file.problemAt(path, wrong, "the name of a model")];
    }
    const names = known.filter((entry) => !modelOnly || entry.kind === "model").map((entry) => entry.name);
    return [
      file.problemAt(
        path,
        `names a ${what}${shown} that is not there`,
        suggest(name, names, `the name of a ${what}`),
      ),
    ];
  });
}

function suggest(name: string, known: readonly string[], otherwise: string): string {
  const near = findNearName(name, known);
  return near === undefined ? otherwise : `${quoteName(near)} (did you mean that?)`;
}

function checkWeights(
  root: unknown,
  path: readonly (string | number)[],
  catalog: CatalogNames,
  file: YamlSource,
): ConfigProblem[] {
  const models = catalog.names.filter(({ kind }) => kind === "model").map(({ name }) => name);
  const known = [...models, ...catalog.deploymentIds];
  return listKeys(root, path)
    .filter(([key]) => !known.includes(key))
    .map(([key, at]) => {
      const right = suggest(key, known, "the name of a model or the id of a deployment");
      return file.problemAtKey(at, "is no model and no deployment", right);
    });
}

function checkRepeatedName(root: unknown, { name, path }: TargetEntry, file: YamlSource): ConfigProblem[] {
  const given = valueAt(root, [...path, "name"]);
  if (typeof given !== "string" || given === name || file.isBroken([...path, "name"])) return [];
  return [file.problemAt([...path, "name"], "is not the key of its entry", `${quoteName(name)}, or no name`)];
}

/** A switch to other groups needs some. */
function checkSwitch(root: unknown, { kind, name, path, targets, echelons }: TargetEntry, file: YamlSource) {
  if (kind !== "group") return [];
  return ["fallback", "fallback_config"].flatMap((key): ConfigProblem[] => {
    const at = [...path, key];
    if (valueAt(root, [...at, "strategy"]) !== "task_group_switch" || file.isBroken(at)) return [];
    const own = [name, ...echelons.map((echelon) => echelon.name)];
    if (targets.some((target) => !own.includes(target.name))) return [];
    const wrong = targets.length === 0 ? "is missing" : "names only the group itself";
    const right = "at least one other group to switch to, or the strategy echelon_down";
    return [file.problemAt(targets[0]?.path.slice(0, -1) ?? [...at, "targets"], wrong, right)];
  });
}
