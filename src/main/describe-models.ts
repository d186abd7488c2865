import type { Model } from "../domain/deployment.ts";

/** The most names that are printed at the start. */
const MAX_LINES = 40;

/** Which upstream models each name means, a line each. */
export function describeModels(models: readonly Model[]): readonly string[] {
  const shown = models.slice(0, MAX_LINES);
  const width = Math.max(...shown.map(({ name }) => name.length));
  const lines = shown.map(({ name, deployments }) => {
    const means = deployments.map(({ id, provider, upstreamModel, simulated }) => {
      const place = id === `${provider}/${upstreamModel}` ? id : `${provider}/${upstreamModel} (${id})`;
      return simulated ? `${upstreamModel}, simulated` : place;
    });
    return `  ${name.padEnd(width)}  ${means.join(", then ")}`;
  });
  const left = models.length - shown.length;
  return ["Models:", ...lines, ...(left > 0 ? [`  and ${left} more: npx sluice models`] : [])];
}
