import { ORDINARY_SPEED, type SpeedPrior } from "./evidence-options.ts";

const ORDINARY_TIER = 3;
/** How much slower each tier is than the one before it: √3, so that 1 and 5 differ by a factor of nine. */
const TIER_FACTOR = Math.sqrt(3);

/** What is believed of a deployment's speed before it is measured, by its model's `tiers.speed`: 1 (fastest) to 5. */
export function speedOfTier(tier: number): SpeedPrior {
  const factor = TIER_FACTOR ** (tier - ORDINARY_TIER);
  const { timeToFirstToken, timePerToken } = ORDINARY_SPEED;
  return {
    timeToFirstToken: { ...timeToFirstToken, medianMs: timeToFirstToken.medianMs * factor },
    timePerToken: { ...timePerToken, medianMs: timePerToken.medianMs * factor },
  };
}
