import type { AlertRules } from "../domain/alert-rules.ts";
import type { ConfigFile } from "./schema/config-schema.ts";

/** When a valid file wants operators to be told. */
export function assembleAlerts(alerts: NonNullable<ConfigFile["alerts"]>): AlertRules {
  return {
    windowMs: alerts.window,
    minSampleCount: alerts.min_samples,
    minSuccessRatio: alerts.success_ratio,
    maxFirstTokenMs: alerts.first_token,
    maxErrorRatio: alerts.error_ratio,
    maxFallbackRatio: alerts.fallback_ratio,
  };
}
