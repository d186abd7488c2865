import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";

import { type Env, interpolate } from "./interpolate.ts";
import type { ValuePath } from "./problem.ts";
import { parseDecimal } from "./values/decimal.ts";

/** Something in the tree that is no good whatever the field. */
export interface TreeFault {
  readonly path: ValuePath;
  /** From the start of the text. */
  readonly offset: number | undefined;
  readonly wrong: string;
  readonly right: string;
}

/** Plain data, and what is known of each value by its path. */
export interface YamlTree {
  readonly value: unknown;
  readonly faults: readonly TreeFault[];
  isInterpolated(path: ValuePath): boolean;
  isBroken(path: ValuePath): boolean;
  /** The offset of a value or its key; of the nearest thing around it when it does not exist. */
  findOffset(path: ValuePath, what: "value" | "key"): number | undefined;
}

interface Place {
  readonly keyOffset: number | undefined;
  readonly valueOffset: number | undefined;
}

/** Aliases can make a small file vast; these bound the work. */
const MAX_DEPTH_COUNT = 64;
const MAX_VALUE_COUNT = 100_000;
const MAX_ALIAS_COUNT = 1_000;

/** Turns a document without structural errors into plain data, replacing variables in its text values. */
export function readYamlTree(document: Document, env: Env): YamlTree {
  const faults: TreeFault[] = [];
  const places = new Map<string, Place>();
  const interpolated = new Set<string>();
  const broken = new Set<string>();
  let valueCount = 0;
  let aliasCount = 0;

  function refuse(path: ValuePath, offset: number | undefined, wrong: string, right: string): undefined {
    broken.add(JSON.stringify(path));
    faults.push({ path, offset, wrong, right });
    return undefined;
  }

  function read(node: Node | null, path: ValuePath, keyOffset: number | undefined): unknown {
    const valueOffset = node?.range?.[0];
    valueCount += 1;
    if (valueCount > MAX_VALUE_COUNT) {
      return valueCount === MAX_VALUE_COUNT + 1
        ? refuse(
            [],
            undefined,
            "has too many values",
            `at most ${MAX_VALUE_COUNT}, aliases counted each time`,
          )
        : undefined;
    }
    places.set(JSON.stringify(path), { keyOffset, valueOffset });
    if (path.length > MAX_DEPTH_COUNT) {
      return refuse(path.slice(0, 1), valueOffset, "is nested too deep", `at most ${MAX_DEPTH_COUNT} levels`);
    }
    if (node === null) return null;
    if (isAlias(node)) {
      aliasCount += 1;
      if (aliasCount > MAX_ALIAS_COUNT) {
        return aliasCount === MAX_ALIAS_COUNT + 1
          ? refuse([], valueOffset, "has too many aliases", `at most ${MAX_ALIAS_COUNT}`)
          : undefined;
      }
      const target = node.resolve(document);
      return target === undefined
        ? refuse(path, valueOffset, "is an alias without an anchor", "`*name` of an anchor `&name` above it")
        : read(target, path, keyOffset);
    }
    if (isMap(node)) return readMap(node.items, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const itemNode = item as Node;
        return read(itemNode, [...path, index], itemNode.range?.[0]);
      });
    }
    return isScalar(node) ? readScalar(node, path) : null;
  }

  function readMap(pairs: readonly { key: unknown; value: unknown }[], path: ValuePath): unknown {
    const result: Record<string, unknown> = {};
    for (const { key, value } of pairs) {
      // The library has already refused keys that are no text.
      if (!isScalar(key) || typeof key.value !== "string") continue;
      const name = key.value;
      const keyOffset = key.range?.[0];
      const entryPath = [...path, name];
      if (Object.hasOwn(result, name)) {
        refuse(entryPath, keyOffset, "is given twice", "each key once");
      } else if (name === "__proto__") {
        refuse(entryPath, keyOffset, "cannot be a key", "another name");
      } else {
        result[name] = read(value as Node | null, entryPath, keyOffset);
      }
    }
    return result;
  }

  function readScalar(node: Scalar, path: ValuePath): unknown {
    const offset = node.range?.[0];
    if (typeof node.value === "number") {
      if (!Number.isFinite(node.value)) return refuse(path, offset, "is not finite", "a finite number");
      return keepsItsDigits(node.value, node.source)
        ? node.value
        : refuse(path, offset, "has more digits than a number can keep", "a number of at most 15 digits");
    }
    return typeof node.value === "string" ? replaceVariables(node.value, path, offset) : node.value;
  }

  function replaceVariables(text: string, path: ValuePath, offset: number | undefined): unknown {
    const result = interpolate(text, env);
    if (result.malformed) {
      return refuse(
        path,
        offset,
        "has a `${` that begins no variable",
        `\${NAME} or \${NAME:-default}; or $\${ for a plain \${`,
      );
    }
    for (const name of result.missing) {
      refuse(
        path,
        offset,
        `needs the environment variable ${name.slice(0, 64)}, which is not set`,
        `to set it, in the environment or in .env, or to write \${${name.slice(0, 64)}:-default}`,
      );
    }
    if (result.replaced) interpolated.add(JSON.stringify(path));
    return result.text;
  }

  const value = document.contents === null ? undefined : read(document.contents, [], undefined);

  function isBroken(path: ValuePath): boolean {
    return (
      path.some((_, index) => broken.has(JSON.stringify(path.slice(0, index)))) ||
      broken.has(JSON.stringify(path))
    );
  }

  function findOffset(path: ValuePath, what: "value" | "key"): number | undefined {
    const place = places.get(JSON.stringify(path));
    if (place !== undefined)
      return what === "value" ? place.valueOffset : (place.keyOffset ?? place.valueOffset);
    return path.length === 0 ? undefined : findOffset(path.slice(0, -1), "key");
  }

  return {
    value,
    faults,
    isInterpolated: (path) => interpolated.has(JSON.stringify(path)),
    isBroken,
    findOffset,
  };
}

/** False when reading the number rounded what the author wrote. Hexadecimal and octal are whole anyway. */
function keepsItsDigits(value: number, source: string | undefined): boolean {
  const written = source === undefined ? undefined : parseDecimal(source);
  if (written === undefined) return Number.isSafeInteger(value) || source === undefined;
  const kept = parseDecimal(String(value));
  return kept !== undefined && kept.digits === written.digits && kept.exponent === written.exponent;
}
