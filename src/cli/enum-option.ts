/** Options whose words are the values of an enum of the contract. */

import type { DescEnum } from "@bufbuild/protobuf";
import type { GenEnum } from "@bufbuild/protobuf/codegenv2";
import { nameEnumValue } from "./answer-summary.ts";
import { parseWordOption } from "./option-value.ts";

/** The words of an enum, in order, without the one that means nothing. */
export function listWords(schema: DescEnum): string[] {
  return schema.values.slice(1).map(({ number }) => nameEnumValue(schema, number));
}

/** The value that a word names; the unspecified one where the option was not given. Throws UsageError. */
export function parseEnumOption<Value extends number>(
  option: string,
  text: string | undefined,
  schema: GenEnum<Value>,
  values: { readonly UNSPECIFIED: Value } & Readonly<Record<string, Value>>,
): Value {
  if (text === undefined) return values.UNSPECIFIED;
  const word = parseWordOption(option, text, listWords(schema));
  return Object.values(values).find((value) => nameEnumValue(schema, value) === word) ?? values.UNSPECIFIED;
}
