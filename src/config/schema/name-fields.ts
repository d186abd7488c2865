import * as z from "zod";

import { type FieldMeta, line } from "./fields.ts";

const NAME_RIGHT =
  "a name of 1 to 128 letters, digits or `_ . : / @ -`, beginning with a letter or digit; not `auto`, not `sluice/…`";
const NAME = /^(?!auto$|sluice\/)[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,127}$/;

/** Bounds the checks among names; nobody has more. */
const MAX_ENTRY_COUNT = 1_000;

/** A name that callers may ask for. */
export function targetNameText() {
  return line(NAME_RIGHT, NAME);
}

/** A reference to something with a name; whether it is there is checked in `check-targets.ts`. */
export function nameReference(what: string, meta: FieldMeta) {
  const right = `the name of ${what}`;
  return z
    .string({ error: right })
    .min(1, { error: right })
    .meta({ title: "name", description: meta.description, ...listExamples(meta) });
}

/** A list of references, at least one. */
export function nameList(what: string, meta: FieldMeta) {
  const right = `a list of 1 to ${MAX_ENTRY_COUNT} names of ${what}`;
  return z
    .array(z.string({ error: `the name of one of ${what}` }).min(1, { error: right }), { error: right })
    .min(1, { error: right })
    .max(MAX_ENTRY_COUNT, { error: right })
    .meta({ title: "list of names", description: meta.description });
}

/** A map from names of the operator's choice to entries. */
export function namedMap<Entry extends z.ZodType>(what: string, entry: Entry, meta: FieldMeta) {
  const right = `a map of at most ${MAX_ENTRY_COUNT} ${what} by name`;
  return z
    .record(targetNameText(), entry, {
      error: (issue) => (issue.code === "invalid_key" ? NAME_RIGHT : right),
    })
    .refine((entries) => Object.keys(entries).length <= MAX_ENTRY_COUNT, {
      error: right,
      params: { wrong: "has too many entries" },
    })
    .meta({ title: "map", description: meta.description });
}

/** The entry's own name once more, as files that were one file per entry have it. */
export function repeatedName() {
  return z
    .string({ error: "the key of the entry" })
    .optional()
    .meta({ title: "name", description: "The entry's own name once more; it must be its key." });
}

function listExamples(meta: FieldMeta): { examples?: (string | number)[] } {
  return meta.examples === undefined ? {} : { examples: [...meta.examples] };
}
