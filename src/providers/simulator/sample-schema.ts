import { isRecord } from "../../lib/is-record.ts";

const MAX_DEPTH = 8;
const MAX_VALUE_COUNT = 1_000;
const MAX_REPEAT_COUNT = 100;
const SAMPLE_TEXT = "simulated";

type Schema = Readonly<Record<string, unknown>>;

/**
 * Makes a small JSON value that fits a simple JSON Schema: type, const, enum, required
 * properties (all of them when none is required), items, the first of anyOf, oneOf and
 * allOf, local $ref, and the plain bounds of numbers, texts and lists. A schema that
 * asks for more gets a value that may not fit. The work is bounded for any schema.
 */
export function sampleSchema(schema: unknown): unknown {
  return new Sampler(schema).sample(schema, 0);
}

class Sampler {
  readonly #root: unknown;
  #valueCount = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  sample(schema: unknown, depth: number): unknown {
    this.#valueCount += 1;
    if (!isRecord(schema) || depth > MAX_DEPTH || this.#valueCount > MAX_VALUE_COUNT) return null;
    if ("const" in schema) return schema.const;
    if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
    if (typeof schema.$ref === "string") return this.sample(this.#resolve(schema.$ref), depth + 1);
    for (const keyword of ["anyOf", "oneOf", "allOf"]) {
      const choices = schema[keyword];
      if (Array.isArray(choices) && choices.length > 0) return this.sample(choices[0], depth + 1);
    }
    return this.#sampleType(schema, depth);
  }

  #sampleType(schema: Schema, depth: number): unknown {
    switch (typeOf(schema)) {
      case "object":
        return this.#sampleObject(schema, depth);
      case "array": {
        const itemCount = Math.min(readNumber(schema.minItems) ?? 1, MAX_REPEAT_COUNT);
        return Array.from({ length: itemCount }, () => this.sample(schema.items ?? {}, depth + 1));
      }
      case "integer":
      case "number":
        return sampleNumber(schema);
      case "boolean":
        return true;
      case "string":
        return sampleText(schema);
      default:
        return null;
    }
  }

  #sampleObject(schema: Schema, depth: number): unknown {
    const properties = isRecord(schema.properties) ? schema.properties : {};
    const required = Array.isArray(schema.required)
      ? schema.required.filter((key) => typeof key === "string")
      : [];
    const keys = required.length > 0 ? required : Object.keys(properties);
    return Object.fromEntries(
      keys
        .slice(0, MAX_VALUE_COUNT)
        .map((key) => [key, this.sample(Object.hasOwn(properties, key) ? properties[key] : {}, depth + 1)]),
    );
  }

  /** Follows a reference inside the same schema (`#/$defs/name`). */
  #resolve(reference: string): unknown {
    if (!reference.startsWith("#")) return undefined;
    let value = this.#root;
    for (const step of reference.slice(1).split("/").filter(Boolean)) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    return value;
  }
}

function typeOf(schema: Schema): unknown {
  if (Array.isArray(schema.type)) return schema.type[0];
  if (schema.type !== undefined) return schema.type;
  if (schema.properties !== undefined) return "object";
  return schema.items === undefined ? "string" : "array";
}

function sampleNumber(schema: Schema): number {
  const least = readNumber(schema.minimum) ?? (readNumber(schema.exclusiveMinimum) ?? 0) + 1;
  const most = readNumber(schema.maximum) ?? Number.POSITIVE_INFINITY;
  return Math.min(typeOf(schema) === "integer" ? Math.ceil(least) : least, most);
}

function sampleText(schema: Schema): string {
  const leastLength = Math.min(readNumber(schema.minLength) ?? 0, MAX_REPEAT_COUNT);
  const mostLength = readNumber(schema.maxLength) ?? Number.POSITIVE_INFINITY;
  return SAMPLE_TEXT.padEnd(leastLength, ".").slice(0, mostLength);
}

function readNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
