/** What a failed call tells: the status, and the details that AIP-193 puts beside it. */

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import { type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { type GenerationFailure, GenerationFailureSchema } from "../../gen/sluice/v1/generation_pb.ts";
import type { FieldViolation } from "../domain/errors.ts";
import type { ExitName } from "./exit-code.ts";

/** A call that did not end well. Its texts come from elsewhere: print them through `printable`. */
export interface CallFailure {
  /** The gRPC status code's number. */
  readonly code: number;
  /** Its name, for example `UNAVAILABLE`. */
  readonly codeName: string;
  readonly message: string;
  /** The reason of docs/errors.md. Undefined when it was not Sluice that answered. */
  readonly reason: string | undefined;
  readonly violations: readonly FieldViolation[];
  /** How long to wait before a new try, where a new try may help. */
  readonly retryDelayMs: number | undefined;
  readonly requestId: string | undefined;
  /** What was tried. */
  readonly failed: GenerationFailure | undefined;
}

/** The header that carries google.rpc.Status (gRPC over HTTP/2, "status details"). */
const DETAILS_KEY = "grpc-status-details-bin";
/** Where Sluice's errors name themselves, in ErrorInfo. */
const DOMAIN = "sluice";

/** Reads a grpc-js error. Details that cannot be decoded are left out: the status still counts. */
export function readCallFailure(error: ServiceError, headers?: Metadata): CallFailure {
  const details = readDetails(error.metadata);
  const info = unpack(details, ErrorInfoSchema);
  const retry = unpack(details, RetryInfoSchema)?.retryDelay;
  const headerId = headers?.get("x-request-id")[0] ?? error.metadata?.get("x-request-id")[0];
  return {
    code: error.code,
    codeName: status[error.code] ?? `code ${error.code}`,
    message: error.details.replace(/ Resolution note: $/, ""),
    reason: info?.domain === DOMAIN ? info.reason : undefined,
    violations: unpack(details, BadRequestSchema)?.fieldViolations ?? [],
    retryDelayMs: retry === undefined ? undefined : durationMs(retry),
    requestId: unpack(details, RequestInfoSchema)?.requestId ?? headerId?.toString(),
    failed: unpack(details, GenerationFailureSchema),
  };
}

/**
 * How the program ends after a failure. UNAVAILABLE without a reason of ours comes
 * from the connection or from something between; a RetryInfo, UNAVAILABLE and
 * ABORTED mean that a later try may help (grpc/grpc doc/statuscodes.md).
 */
export function chooseExit(failure: CallFailure): ExitName {
  if (failure.code === status.UNAVAILABLE && failure.reason === undefined) return "unreachable";
  const mayHelp = failure.code === status.UNAVAILABLE || failure.code === status.ABORTED;
  return mayHelp || failure.retryDelayMs !== undefined ? "tryAgain" : "failure";
}

function readDetails(metadata: Metadata | undefined): Status | undefined {
  const [bytes] = metadata?.get(DETAILS_KEY) ?? [];
  if (!(bytes instanceof Buffer)) return undefined;
  return orUndefined(() => fromBinary(StatusSchema, bytes));
}

function unpack<Desc extends DescMessage>(
  details: Status | undefined,
  schema: Desc,
): MessageShape<Desc> | undefined {
  for (const detail of details?.details ?? []) {
    const message = orUndefined(() => anyUnpack(detail, schema));
    if (message !== undefined) return message;
  }
  return undefined;
}

/** Foreign bytes may be anything; what cannot be read is as good as absent. */
function orUndefined<T>(decode: () => T | undefined): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
