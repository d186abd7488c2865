/** The one place where an error of ours becomes what goes over the wire. */

import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.ts";
import { GenerationFailureSchema } from "../../gen/sluice/v1/generation_pb.ts";
import { ERRORS, type RouteError, type RpcCode } from "../domain/errors.ts";
import { encodeAttempt, encodeUsage } from "./encode-attempt.ts";

/** Numeric codes (grpc/grpc doc/statuscodes.md). */
const CODE_NUMBERS: Readonly<Record<RpcCode, number>> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** The most attempts listed in an error, so that it stays under common header limits of 8 KiB. */
const MAX_LISTED_ATTEMPTS = 8;

/** A call's final status, for whatever transport carries it. */
export interface RpcStatus {
  /** The gRPC status code's number. */
  readonly code: number;
  readonly message: string;
  /** At most one of each type (AIP-193). */
  readonly details: readonly { readonly desc: DescMessage; readonly value: Message }[];
  /** Trailing metadata beside the status. */
  readonly trailers: Readonly<Record<string, string>>;
}

/** Turns an error into a status with ErrorInfo, and with the other details that apply. */
export function encodeError(error: RouteError, requestId: string): RpcStatus {
  const { code } = ERRORS[error.reason];
  const details: { desc: DescMessage; value: Message }[] = [
    {
      desc: ErrorInfoSchema,
      value: create(ErrorInfoSchema, {
        reason: error.reason,
        domain: "sluice",
        metadata: { ...error.metadata },
      }),
    },
    { desc: RequestInfoSchema, value: create(RequestInfoSchema, { requestId }) },
  ];
  if (error.retryAfterMs !== undefined) {
    details.push({
      desc: RetryInfoSchema,
      value: create(RetryInfoSchema, { retryDelay: durationFromMs(Math.ceil(error.retryAfterMs)) }),
    });
  }
  if (error.violations !== undefined) {
    const fieldViolations = error.violations.map(({ field, description }) => ({ field, description }));
    details.push({ desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) });
  }
  if (error.reason === "UPSTREAM_QUOTA_EXHAUSTED") {
    const violations = [{ subject: "provider", description: ERRORS.UPSTREAM_QUOTA_EXHAUSTED.meaning }];
    details.push({ desc: QuotaFailureSchema, value: create(QuotaFailureSchema, { violations }) });
  }
  if (error.failed !== undefined) {
    const { attempts, usage } = error.failed;
    details.push({
      desc: GenerationFailureSchema,
      value: create(GenerationFailureSchema, {
        attempts: attempts.slice(-MAX_LISTED_ATTEMPTS).map(encodeAttempt),
        attemptCount: attempts.length,
        ...(usage === undefined ? {} : { usage: encodeUsage(usage) }),
      }),
    });
  }
  return { code: CODE_NUMBERS[code], message: error.message, details, trailers: encodePushback(error, code) };
}

/**
 * gRFC A6: `grpc-retry-pushback-ms` tells clients with a retry policy how long to
 * wait; a negative value tells them not to retry. Where Sluice has already tried
 * every candidate, a client's own retries would only multiply the attempts.
 */
function encodePushback(error: RouteError, code: RpcCode): Record<string, string> {
  if (code !== "UNAVAILABLE" && code !== "RESOURCE_EXHAUSTED") return {};
  if (error.retryAfterMs !== undefined) {
    return { "grpc-retry-pushback-ms": String(Math.ceil(error.retryAfterMs)) };
  }
  return error.failed !== undefined && error.failed.attempts.length > 0
    ? { "grpc-retry-pushback-ms": "-1" }
    : {};
}
