import type { ProviderFailure } from "../../src/domain/outcome.ts";
import type { Condition } from "./conditions.ts";
import { drawUnit, toLogNormal } from "./draws.ts";
import type { EndpointSpec } from "./endpoint-spec.ts";
import type { SimRequest } from "./workload.ts";

/** What will become of a call if nobody aborts it. Times from its start. */
export interface CallPlan {
  readonly kind: "completed" | "limited" | "error" | "unpaid" | "hang" | "cut";
  /** Infinite when no first token comes. */
  readonly firstTokenMs: number;
  /** Infinite for a hang. */
  readonly endMs: number;
  /** What had been answered by then. */
  readonly outputTokens: number;
  readonly failure: ProviderFailure | undefined;
}

const TAIL_RATIO = 0.01;
const TAIL_SHAPE = 1.5;
const TAIL_FROM = 3;
const TAIL_TO = 60;
const PROMPT_MS_PER_TOKEN = 0.02;
const FIRST_TOKEN_SIGMA = 0.45;
const PER_TOKEN_SIGMA = 0.25;

/** Draws one uniform for a purpose. */
export type Draw = (salt: number) => number;

/** The draws of a call: the same for every policy that makes it. `attempt` counts the request's calls from 0. */
export function drawsOf(seed: number, request: number, endpoint: number, attempt: number): Draw {
  return (salt) => drawUnit(seed, request, endpoint, attempt, salt);
}

/** A refusal for the rate: quick; Retry-After is there as often as the condition says, and now and then wrong by two. */
export function planRefusal(draw: Draw, condition: Condition, waitMs: number): CallPlan {
  const wrong = draw(20);
  const factor = wrong < 0.05 ? 0.5 : wrong < 0.1 ? 2 : 1;
  const retryAfterMs = Math.max(Math.ceil((waitMs * factor) / 1_000), 1) * 1_000;
  const told = draw(21) >= condition.silentRefusalRatio;
  return fail("limited", 60 + 100 * draw(22), {
    class: "rate_limit",
    httpStatus: 429,
    ...(told ? { retryAfterMs } : {}),
  });
}

/** What becomes of a call that the quota lets through. */
export function planCall(
  draw: Draw,
  spec: EndpointSpec,
  condition: Condition,
  request: SimRequest,
  inFlightCount: number,
): CallPlan {
  if (condition.unpaid)
    return fail("unpaid", 60 + 100 * draw(22), { class: "quota_exhausted", httpStatus: 429 });
  if (draw(23) < condition.hangRatio) {
    return { kind: "hang", firstTokenMs: Infinity, endMs: Infinity, outputTokens: 0, failure: undefined };
  }
  if (draw(24) < condition.errorRatio) {
    return fail("error", 100 + 600 * draw(25), { class: "server_error", httpStatus: 500 });
  }
  const firstTokenMs = drawFirstTokenMs(draw, spec, condition, request, inFlightCount);
  const perTokenMs =
    spec.perTokenMs * condition.perTokenFactor * toLogNormal(draw(26), draw(27), PER_TOKEN_SIGMA);
  if (draw(28) < condition.cutRatio) {
    const outputTokens = Math.ceil((0.2 + 0.6 * draw(29)) * request.outputTokens);
    const endMs = firstTokenMs + perTokenMs * outputTokens;
    return { kind: "cut", firstTokenMs, endMs, outputTokens, failure: { class: "stream_interrupted" } };
  }
  const endMs = firstTokenMs + perTokenMs * request.outputTokens;
  return { kind: "completed", firstTokenMs, endMs, outputTokens: request.outputTokens, failure: undefined };
}

/** The factor of queueing above the soft limit. */
export function computeLoad(inFlightCount: number, softConcurrencyCount: number): number {
  const ratio = inFlightCount / softConcurrencyCount;
  return ratio > 1 ? ratio * ratio : 1;
}

function drawFirstTokenMs(
  draw: Draw,
  spec: EndpointSpec,
  condition: Condition,
  { promptTokens }: SimRequest,
  inFlightCount: number,
): number {
  const inTail = draw(30) < TAIL_RATIO;
  const tail = inTail ? Math.min(TAIL_FROM * (1 - draw(31)) ** (-1 / TAIL_SHAPE), TAIL_TO) : 1;
  const spread = toLogNormal(draw(32), draw(33), FIRST_TOKEN_SIGMA) * tail;
  const load = computeLoad(inFlightCount, spec.softConcurrencyCount);
  return spec.firstTokenMs * condition.firstTokenFactor * spread * load + PROMPT_MS_PER_TOKEN * promptTokens;
}

function fail(kind: CallPlan["kind"], endMs: number, failure: ProviderFailure): CallPlan {
  return { kind, firstTokenMs: Infinity, endMs, outputTokens: 0, failure };
}
