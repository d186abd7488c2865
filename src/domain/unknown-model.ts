import type { RouteError } from "./errors.ts";

/** The catalog has no model of that name. Names longer than 128 characters are shown cut. */
export function unknownModelError(model: string): RouteError {
  const shown = model.slice(0, 128);
  return {
    reason: "MODEL_NOT_FOUND",
    message: `the catalog has no model named "${shown}"`,
    metadata: { model: shown },
  };
}
