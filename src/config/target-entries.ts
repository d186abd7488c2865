import type { ValuePath } from "./problem.ts";
import { ECHELON_KEY } from "./schema/group-section.ts";
import { childValue, valueAt } from "./schema/schema-node.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Where one name stands for another thing of the configuration. */
export interface TargetReference {
  readonly name: string;
  readonly path: ValuePath;
}

/** One of `groups`, `pools`, `chains` or `aliases`, as far as it can be read. */
export interface TargetEntry {
  readonly kind: "group" | "pool" | "chain" | "alias";
  readonly name: string;
  readonly path: ValuePath;
  /** References that only models may answer. */
  readonly models: readonly TargetReference[];
  /** References to anything: a group's fallbacks, a pool's members, an alias's target first. */
  readonly targets: readonly TargetReference[];
  /** Of a group. */
  readonly echelons: readonly TargetReference[];
}

/**
 * Reads the entries from data that may be wrong otherwise, so that problems among names
 * come together with all others. What is no name is left out: the schema reports it.
 */
export function readTargetEntries(root: unknown, file: YamlSource): TargetEntry[] {
  const list = (path: ValuePath) => listReferences(root, path, file);
  const entries: TargetEntry[] = [];
  for (const [name, path] of listKeys(root, ["groups"])) {
    const echelons = [...listKeys(root, path), ...listKeys(root, [...path, "echelons"])]
      .filter(([key]) => ECHELON_KEY.test(key))
      .map(([key, echelonPath]) => ({ name: `${name}.${key}`, path: echelonPath }));
    const models = echelons.flatMap((echelon) => list([...echelon.path, "models"]));
    const targets = ["fallback", "fallback_config"].flatMap((fallback) =>
      ["targets", "fallback_groups"].flatMap((key) => list([...path, fallback, key])),
    );
    entries.push({ kind: "group", name, path, models, targets, echelons });
  }
  for (const [name, path] of listKeys(root, ["pools"])) {
    const targets = ["members", "task_groups"].flatMap((key) => list([...path, key]));
    entries.push({ kind: "pool", name, path, models: [], targets, echelons: [] });
  }
  for (const [name, path] of listKeys(root, ["chains"])) {
    const roles = [...path, "roles"];
    const asList = valueAt(root, roles);
    const lists = Array.isArray(asList)
      ? asList.map((_, index) => [...roles, index, "models"])
      : listKeys(root, roles).map(([, rolePath]) => rolePath);
    entries.push({ kind: "chain", name, path, models: lists.flatMap(list), targets: [], echelons: [] });
  }
  for (const [name, path] of listKeys(root, ["aliases"])) {
    const target = readReference(root, [...path, "target"], file);
    const fallbacks = ["fallbacks", "fallback_groups"].flatMap((key) => list([...path, key]));
    entries.push({ kind: "alias", name, path, models: [], targets: [...target, ...fallbacks], echelons: [] });
  }
  return entries;
}

/** The name at a path as a list of one, or of none when there is no name. */
export function readReference(root: unknown, path: ValuePath, file: YamlSource): TargetReference[] {
  const name = valueAt(root, path);
  return typeof name === "string" && name !== "" && !file.isBroken(path) ? [{ name, path }] : [];
}

/** The keys of a map with their paths; none where there is no map. */
export function listKeys(root: unknown, path: ValuePath): [string, ValuePath][] {
  const value = valueAt(root, path);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.keys(value)
    .filter((key) => childValue(value, key) !== undefined)
    .map((key) => [key, [...path, key]]);
}

function listReferences(root: unknown, path: ValuePath, file: YamlSource): TargetReference[] {
  const value = valueAt(root, path);
  if (!Array.isArray(value)) return [];
  return value.flatMap((_, index) => readReference(root, [...path, index], file));
}
