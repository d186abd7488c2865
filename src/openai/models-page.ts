/** `GET /v1/models` and `GET /v1/models/{id}`. */

import type { Model } from "../domain/deployment.ts";
import { unknownModelError } from "../domain/unknown-model.ts";
import { AUTOMATIC_NAME, readModelName } from "./catalog-name.ts";
import { answerRouteError, type ErrorAnswer } from "./error-answer.ts";

/** Whole answers about models. */
export interface ModelsPage {
  /** The body that lists automatic choice first, then the catalog in its order, then the other targets. */
  readonly list: string;
  /** The body about one model or target, by the same names that requests may use, or the error. */
  find(name: string): string | ErrorAnswer;
}

/**
 * Writes the models down once. `startedSeconds` (Unix epoch) is given as the time of
 * their creation, which the catalog does not know. The owner is the first deployment's provider;
 * targets that are no models are Sluice's own.
 */
export function createModelsPage(
  models: readonly Model[],
  targetNames: readonly string[],
  startedSeconds: number,
): ModelsPage {
  const describe = (id: string, owner: string) =>
    JSON.stringify({ id, object: "model", created: startedSeconds, owned_by: owner });
  const automatic = describe(AUTOMATIC_NAME, "sluice");
  const pages = new Map(
    models.map(({ name, deployments }) => [name, describe(name, deployments[0]?.provider ?? "sluice")]),
  );
  const names = new Set(pages.keys());
  for (const name of targetNames) pages.set(name, describe(name, "sluice"));
  return {
    list: `{"object":"list","data":[${[automatic, ...pages.values()].join(",")}]}`,
    find(name) {
      const target = readModelName(name, names);
      if (target.kind === "automatic") return automatic;
      const plain = target.kind === "model" ? target.model : target.name;
      return pages.get(plain) ?? answerRouteError(unknownModelError(plain));
    },
  };
}
