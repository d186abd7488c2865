/** Why a target cannot be resolved. */

import type { RouteError } from "../../domain/errors.ts";
import { findNearNames } from "./near-names.ts";
import { listTargets, type TargetCatalog } from "./target-catalog.ts";

export type TargetFailure =
  /** Nothing has that name; `near` are names it may have been meant to be. */
  | { readonly kind: "unknown_target"; readonly name: string; readonly near: readonly string[] }
  /** Something has that name, but not what was asked for. */
  | { readonly kind: "other_kind"; readonly name: string; readonly is: string; readonly asked: string }
  /** A target leads back to itself; `path` begins and ends with the same name. */
  | { readonly kind: "cycle"; readonly path: readonly string[] }
  /** The target stands for no deployment, for example a provider that no model uses. */
  | { readonly kind: "empty_target"; readonly name: string };

/** The failure of a name that nothing has. */
export function explainUnknownTarget(name: string, catalog: TargetCatalog): TargetFailure {
  const known = listTargets(catalog).map((entry) => entry.name);
  return { kind: "unknown_target", name, near: findNearNames(name, known) };
}

/** Names in messages are cut to this many characters. */
const MAX_SHOWN_CHARS = 128;

/** What a caller is told of an unresolved target. */
export function targetError(failure: TargetFailure): RouteError {
  switch (failure.kind) {
    case "unknown_target": {
      const name = cutName(failure.name);
      const hint = failure.near.length === 0 ? "" : `; did you mean ${failure.near.join(", ")}?`;
      return {
        reason: "MODEL_NOT_FOUND",
        message: `the catalog has no model or target named "${name}"${hint}`,
        metadata: { model: name, ...(failure.near.length === 0 ? {} : { near: failure.near.join(",") }) },
      };
    }
    case "other_kind": {
      const name = cutName(failure.name);
      return {
        reason: "MODEL_NOT_FOUND",
        message: `"${name}" is the name of a target of kind ${failure.is}, not ${failure.asked}`,
        metadata: { model: name, kind: failure.is },
      };
    }
    case "cycle":
      return {
        reason: "NO_MODEL_MEETS_REQUIREMENTS",
        message: `the target leads back to itself: ${failure.path.map(cutName).join(" → ")}`,
        metadata: { target: cutName(failure.path[0] ?? "") },
      };
    case "empty_target":
      return {
        reason: "NO_MODEL_MEETS_REQUIREMENTS",
        message: `the target "${cutName(failure.name)}" stands for no deployment`,
        metadata: { target: cutName(failure.name) },
      };
  }
}

function cutName(name: string): string {
  return name.slice(0, MAX_SHOWN_CHARS);
}
