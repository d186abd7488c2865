import type { RouteError } from "../../domain/errors.ts";
import { MAX_PARTS } from "./part-counter.ts";

/** How long a caller should wait where the server has no room; about as long as a usual request takes. */
const NO_ROOM_RETRY_MS = 1_000;

/** A request that is larger than the server takes, whenever it comes. */
export function describeTooLarge(maxRequestBytes: number): RouteError {
  return {
    reason: "REQUEST_TOO_LARGE",
    message: `the request has more than ${maxRequestBytes} bytes`,
    metadata: { maxRequestBytes: `${maxRequestBytes}` },
  };
}

/** A request of more parts than any that is meant. */
export function describeTooManyParts(): RouteError {
  return {
    reason: "REQUEST_TOO_LARGE",
    message: `the request has more than ${MAX_PARTS} fields or values`,
    metadata: { maxParts: `${MAX_PARTS}` },
  };
}

/** A request that would be taken at another time: all requests under way together hold what the server has for them. */
export function describeNoRoom(): RouteError {
  return {
    reason: "REQUEST_TOO_LARGE",
    message: "the requests under way take all the memory that the server has for them; try again later",
    retryAfterMs: NO_ROOM_RETRY_MS,
  };
}

/** A body that arrives more slowly than the server waits for. */
export function describeSlowBody(minBytesPerSecond: number): RouteError {
  return {
    reason: "DEADLINE_EXCEEDED",
    message: `the request's body came at less than ${minBytesPerSecond} bytes per second`,
    metadata: { minBytesPerSecond: `${minBytesPerSecond}` },
  };
}

/** A call that comes while the server stops. */
export function describeDraining(): RouteError {
  return {
    reason: "DRAINING",
    message: "this replica is shutting down; try again on another connection",
  };
}
