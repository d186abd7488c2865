/** What the caller of a cell has to get. Written out beside docs/errors.md, not taken from the code under test. */

import type { FailureClass } from "../../src/domain/outcome.ts";
import type { Cell } from "./fault-plan.ts";

/** What the caller is told in the end. */
export interface ExpectedOutcome {
  /** `OK` or the gRPC code. */
  readonly code: string;
  /** The reason in ErrorInfo; undefined for OK. */
  readonly reason: string | undefined;
  /** The status of the OpenAI door before anything was sent. */
  readonly httpStatus: number;
  /** Outcome and provider's status, `-` where it gave none, of each attempt in order. */
  readonly attempts: readonly string[];
  /** Whether a part of the answer may have been given to the caller before. */
  readonly isCommitted: boolean;
}

interface Row {
  readonly code: string;
  readonly reason: string;
  readonly httpStatus: number;
  /** Whether another deployment is asked. */
  readonly fallsBack: boolean;
}

/** The class of a failure before anything was sent → what the caller gets when nobody else is there. */
const ROWS: Readonly<Record<Exclude<FailureClass, "cancelled">, Row>> = {
  auth: row("FAILED_PRECONDITION", "UPSTREAM_AUTH", 502),
  invalid_request: { ...row("INVALID_ARGUMENT", "UPSTREAM_REJECTED_REQUEST", 400), fallsBack: false },
  context_length_exceeded: { ...row("INVALID_ARGUMENT", "CONTEXT_LENGTH_EXCEEDED", 400), fallsBack: false },
  content_filter: { ...row("INVALID_ARGUMENT", "CONTENT_FILTERED", 400), fallsBack: false },
  rate_limit: row("RESOURCE_EXHAUSTED", "UPSTREAM_RATE_LIMITED", 429),
  quota_exhausted: row("RESOURCE_EXHAUSTED", "UPSTREAM_QUOTA_EXHAUSTED", 429),
  // Every request of the matrix names its model.
  model_unavailable: row("NOT_FOUND", "NAMED_MODEL_UNAVAILABLE", 404),
  server_error: row("UNAVAILABLE", "UPSTREAM_ERROR", 502),
  overloaded: row("UNAVAILABLE", "UPSTREAM_OVERLOADED", 503),
  timeout: row("UNAVAILABLE", "UPSTREAM_TIMEOUT", 504),
  network: row("UNAVAILABLE", "UPSTREAM_UNREACHABLE", 502),
  stream_interrupted: row("UNAVAILABLE", "UPSTREAM_STREAM_CUT", 502),
};

const SUCCESS = "SUCCESS -";

/** Applies the rules; more than one outcome is right where the fault's verdict allows more than one class. */
export function expectOutcomes(cell: Cell): readonly ExpectedOutcome[] {
  const { verdict, entry } = cell;
  if (verdict.kind === "success") return [ok([SUCCESS], true)];
  const isCommitted =
    verdict.isCommitted ?? (cell.moment === "after_tokens" || cell.moment === "before_usage");
  return verdict.classes.map((failureClass) => {
    // A limit of ours that ends an attempt leaves the status untold.
    const isOurs = failureClass === "timeout" && verdict.classes.length > 1;
    const attempt = `${failureClass.toUpperCase()} ${isOurs ? "-" : (verdict.httpStatus ?? "-")}`;
    if (entry.hasShortDeadline) {
      const httpStatus = 504;
      return {
        code: "DEADLINE_EXCEEDED",
        reason: "DEADLINE_EXCEEDED",
        httpStatus,
        attempts: ["CANCELLED -"],
        isCommitted,
      };
    }
    if (isCommitted) {
      return {
        code: "ABORTED",
        reason: "STREAM_INTERRUPTED",
        httpStatus: 502,
        attempts: [attempt],
        isCommitted,
      };
    }
    const { fallsBack, ...told } = ROWS[failureClass === "cancelled" ? "network" : failureClass];
    if (entry.isBacked && fallsBack) return ok([attempt, SUCCESS], false);
    return { ...told, attempts: [attempt], isCommitted };
  });
}

function row(code: string, reason: string, httpStatus: number): Row {
  return { code, reason, httpStatus, fallsBack: true };
}

function ok(attempts: ExpectedOutcome["attempts"], isCommitted: boolean): ExpectedOutcome {
  return { code: "OK", reason: undefined, httpStatus: 200, attempts, isCommitted };
}
