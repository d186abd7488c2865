/** What every answer says of itself: the same in each chunk of a stream. */

import type { RouteResult } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { AnswerForm } from "./decode-chat-request.ts";

/** The identity of one answer. */
export interface AnswerHead {
  /** `chatcmpl-…`. */
  readonly id: string;
  /** When the request was taken in, in seconds since the Unix epoch. */
  readonly createdSeconds: number;
  readonly form: AnswerForm;
}

/**
 * The headers that tell who answers, known at commit. `attemptCount` counts the
 * attempts made by then, the answering one included.
 */
export function listAnswerHeaders(
  head: AnswerHead,
  deployment: Deployment,
  attemptCount: number,
): Record<string, string> {
  const { notEnforced } = head.form;
  return {
    "x-sluice-model": encodeHeaderValue(deployment.model),
    "x-sluice-deployment": encodeHeaderValue(deployment.id),
    "x-sluice-attempts": `${attemptCount}`,
    ...(deployment.simulated ? { "x-sluice-simulated": "true" } : {}),
    ...(notEnforced.length > 0 ? { "x-sluice-not-enforced": notEnforced.join(", ") } : {}),
  };
}

/** The fields that were not carried as asked, once all is known: whole answers have it, streams tell it in their last chunk. */
export function listAdjustmentHeaders({ adjustments }: RouteResult): Record<string, string> {
  if (adjustments.length === 0) return {};
  return { "x-sluice-adjusted": [...new Set(adjustments.map(({ field }) => field))].join(", ") };
}

/** Operators may name things in any script, headers may not (RFC 9110, 5.5): the rest is percent-encoded. */
function encodeHeaderValue(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}
