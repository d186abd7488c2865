import { existsSync } from "node:fs";
import { join } from "node:path";
import { asNumber, asObject, readJsonObject } from "../world/read-json.ts";
import type { Parameters } from "./tunable.ts";

/** Where a sweep leaves what it found, with the command that found it. */
export const TUNED_FILE = join(import.meta.dirname, "../data/tuned.json");

/** The best figures that a sweep found, by baseline; none before the first sweep. Throws `DataError`. */
export function readTuned(file = TUNED_FILE): ReadonlyMap<string, Parameters> {
  if (!existsSync(file)) return new Map();
  const baselines = asObject(readJsonObject(file).baselines, `${file}: baselines`);
  return new Map(
    Object.entries(baselines).map(([name, entry]) => {
      const path = `${file}: baselines.${name}.best`;
      const best = asObject(asObject(entry, path).best, path);
      const figures = Object.entries(best).map(([figure, value]): [string, number] => [
        figure,
        asNumber(value, `${path}.${figure}`, 0, 1e9),
      ]);
      return [name, Object.fromEntries(figures)];
    }),
  );
}
