/** Groups, echelons, pools and whatever else requests go through, as lines for the terminal. */

import { OutcomeSchema } from "../../gen/sluice/v1/generation_pb.ts";
import type { ScopeMetrics } from "../../gen/sluice/v1/metrics_pb.ts";
import { nameEnumValue } from "./answer-summary.ts";
import type { Paint } from "./colour.ts";
import { formatCount, formatRatio, UNKNOWN } from "./number-text.ts";
import { type Column, renderTable } from "./text-table.ts";

const COLUMNS: readonly Column<ScopeMetrics>[] = [
  { heading: "SCOPE", text: ({ scope }) => scope },
  {
    heading: "HEALTHY",
    align: "right",
    text: ({ healthyDeploymentCount, deploymentCount }) => `${healthyDeploymentCount}/${deploymentCount}`,
    emphasis({ healthyDeploymentCount, deploymentCount }) {
      if (healthyDeploymentCount === deploymentCount) return "good";
      return healthyDeploymentCount === 0 ? "bad" : "doubtful";
    },
  },
  { heading: "REQUESTS", align: "right", text: ({ requestCount }) => formatCount(requestCount) },
  {
    heading: "SUCCESS",
    align: "right",
    text: ({ requestCount, succeededCount }) =>
      formatRatio(requestCount === 0n ? undefined : Number(succeededCount) / Number(requestCount)),
  },
  { heading: "FALLBACKS", align: "right", text: ({ fallbackCount }) => formatCount(fallbackCount) },
  { heading: "LAST FALLBACK", text: describeLastFallback },
];

/** One row per scope; no line is wider than `width` columns. */
export function renderScopes(scopes: readonly ScopeMetrics[], width: number, paint: Paint): string[] {
  return renderTable(COLUMNS, scopes, width, paint);
}

function describeLastFallback({ recentFallbacks: [last] }: ScopeMetrics): string {
  if (last === undefined) return UNKNOWN;
  const outcome = nameEnumValue(OutcomeSchema, last.outcome);
  return `${last.fromDeployment} ${outcome}, then ${last.toDeployment}`;
}
