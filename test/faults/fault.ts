/** What a fault is: what a model server does wrong, when, and what has to come of it. */

import type { FailureClass } from "../../src/domain/outcome.ts";
import type { CannedDialect } from "./canned-answer.ts";
import type { FaultWire } from "./fault-wire.ts";

/**
 * When a fault strikes: while the connection is opened, before the answer's head, after
 * it, after some tokens, and before the frames that tell usage and the end.
 */
export type Moment = "connecting" | "before_headers" | "after_headers" | "after_tokens" | "before_usage";

/** Every moment of an answer that has begun to be asked for. */
export const ANSWER_MOMENTS = ["before_headers", "after_headers", "after_tokens", "before_usage"] as const;

/** The moments inside a body. */
export const BODY_MOMENTS = ["after_headers", "after_tokens", "before_usage"] as const;

/** What has to become of the attempt. */
export type Verdict =
  | {
      readonly kind: "success";
      /** `whole`: the very text; `other`: the fault changes the text, what came is not compared. */
      readonly text: "whole" | "other";
    }
  | {
      readonly kind: "failure";
      /** Any of these: where a machine decides, for example its resolver, more than one is right. */
      readonly classes: readonly FailureClass[];
      /** The provider's status in the list of attempts; undefined where there was none. */
      readonly httpStatus: number | undefined;
      /** Whether the server neither ends nor answers, so that only a limit of ours ends it. */
      readonly isStall: boolean;
      /** Whether tokens came before it, where the moment does not say so. */
      readonly isCommitted?: true;
    };

/** One way to go wrong. */
export interface Fault {
  /** In words joined by hyphens; unique. */
  readonly name: string;
  readonly moments: readonly Moment[];
  /** Where it makes no sense in every dialect. */
  appliesTo?(dialect: CannedDialect): boolean;
  /** What the server does instead of a sound answer. */
  play(wire: FaultWire, moment: Moment): void;
  expect(moment: Moment, dialect: CannedDialect): Verdict;
  /** Whether it moves so many bytes that the command runs it by itself. */
  readonly isHeavy?: true;
}

/** The answer is whole all the same. */
export const WHOLE: Verdict = { kind: "success", text: "whole" };

/** The answer ends well with another text. */
export const OTHER_TEXT: Verdict = { kind: "success", text: "other" };

/** The attempt fails. */
export function fails(failureClass: FailureClass, httpStatus?: number): Verdict {
  return { kind: "failure", classes: [failureClass], httpStatus, isStall: false };
}

/** The attempt fails after tokens although its fault strikes from the head on. */
export function failsAfterTokens(failureClass: FailureClass): Verdict {
  return { kind: "failure", classes: [failureClass], httpStatus: 200, isStall: false, isCommitted: true };
}

/** The connection ends at that moment, in whatever way. */
export function expectCut(moment: Moment, dialect: CannedDialect): Verdict {
  if (moment === "connecting" || moment === "before_headers") return fails("network");
  // What ends after the finish reason is whole, its usage is missing.
  if (moment === "before_usage" && dialect.isWholeBeforeUsage) return WHOLE;
  return fails("stream_interrupted", 200);
}

/** Nothing of use comes any more, and nobody hangs up. */
export function expectStall(moment: Moment, dialect: CannedDialect): Verdict {
  if (moment === "before_usage" && dialect.isWholeBeforeUsage) return WHOLE;
  return { kind: "failure", classes: ["timeout"], httpStatus: undefined, isStall: true };
}
