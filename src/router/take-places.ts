import type { BreakerPermit } from "../policies/breaker.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { RouterParts } from "./router-parts.ts";
import type { Chosen, HeldPlace } from "./wait-for-place.ts";

/**
 * Takes what an attempt needs and nobody holds yet: a place at the deployment, one at
 * the tier where that has limits, and the permit of the breaker that guards it here.
 * Undefined, with nothing taken, where one is not to be had; what was held stays held.
 */
export function takePlaces(
  { deployments, source }: RouterParts,
  live: LiveSet,
  { view, tierIndex, relaxed }: Chosen,
  held: HeldPlace,
): BreakerPermit | undefined {
  const { limit } = deployments.entry(view.deployment);
  const tierLimit = live.limits[tierIndex];
  const hasPlace = held === "deployment" || limit.tryAcquire();
  const hasTierPlace = hasPlace && (tierLimit === undefined || held === "tier" || tierLimit.tryAcquire());
  const breaker = source.breakerOf(live, view.deployment);
  const isEarly = relaxed === "breaker";
  const permit = hasTierPlace ? (isEarly ? breaker.acquireEarly() : breaker.acquire()) : undefined;
  if (permit === undefined) {
    if (hasTierPlace && held !== "tier") tierLimit?.release();
    if (hasPlace && held !== "deployment") limit.release();
  }
  return permit;
}
