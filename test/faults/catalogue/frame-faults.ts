/** What goes wrong inside the body: frames that are broken, doubled, missing, strange or huge. */

import type { CannedDialect } from "../canned-answer.ts";
import {
  BODY_MOMENTS,
  expectCut,
  expectStall,
  type Fault,
  fails,
  failsAfterTokens,
  OTHER_TEXT,
  type Verdict,
  WHOLE,
} from "../fault.ts";
import { bodyFrom, bodyOfTokens, bodyUntil, type FaultWire, wholeBody } from "../fault-wire.ts";

const HEAD = ["before_headers"] as const;
const DONE = "data: [DONE]\n\n";
const MEBIBYTE = Buffer.alloc(1024 * 1024, "x");
const isChat = ({ kind }: CannedDialect) => kind !== "anthropic" && kind !== "ollama";
const isSse = ({ framing }: CannedDialect) => framing === "sse";

/** A frame in the middle of a sound answer. */
function intruder(
  name: string,
  frameOf: (wire: FaultWire) => string | Buffer,
  expect: Fault["expect"],
  more: Partial<Fault> = {},
): Fault {
  return {
    name,
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.body(frameOf(wire));
      wire.proceed(moment);
    },
    expect,
    ...more,
  };
}

/** A whole body that is not as it should be. */
function body(
  name: string,
  write: (dialect: CannedDialect) => string | Buffer,
  verdict: Verdict | Fault["expect"],
  more: Partial<Fault> = {},
): Fault {
  return {
    name,
    moments: HEAD,
    play(wire) {
      wire.head();
      wire.body(write(wire.dialect));
      wire.endBody();
    },
    expect: typeof verdict === "function" ? verdict : () => verdict,
    ...more,
  };
}

/** Frames nobody can read end the answer, unless it is whole already. */
const unreadable = expectCut;

/** Whichever comes first: the most bytes of an answer, or the most time, which a busy machine may need for them. */
const TOO_MUCH: Verdict = {
  kind: "failure",
  classes: ["stream_interrupted", "timeout"],
  httpStatus: 200,
  isStall: false,
};

/** An error that the provider tells in the stream is one wherever it comes, also after a finish reason. */
const told = () => fails("server_error", 200);

function usage(name: string, input: string, output = input): Fault {
  return body(
    `usage-${name}`,
    (dialect) => bodyOfTokens(dialect) + dialect.endWithUsage({ input, output }).join(""),
    WHOLE,
  );
}

/** A line that does not end, `megabytes` long. */
function longLine(name: string, megabytes: number, more: Partial<Fault> = {}): Fault {
  return {
    name,
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.body(wire.dialect.framing === "sse" ? 'data: {"x":"' : '{"x":"');
      let left = megabytes;
      wire.pump(
        () => (left-- > 0 ? MEBIBYTE : undefined),
        () => wire.hangUp(),
      );
    },
    expect: expectCut,
    ...more,
  };
}

const FRAMES: readonly Fault[] = [
  intruder(
    "frame-of-no-json",
    ({ dialect, canary }) => dialect.frame(`{"type":"ping", ${canary}`),
    unreadable,
  ),
  intruder(
    "frame-of-noise",
    ({ dialect }) =>
      Buffer.concat([
        Buffer.from(isSse(dialect) ? "data: " : ""),
        Buffer.from([0xc3, 0x28, 0xff, 0x0a, 0x0a]),
      ]),
    unreadable,
  ),
  intruder("error-frame", ({ dialect, canary }) => dialect.frame(dialect.errorJson(canary)), told),
  intruder("error-of-text", ({ dialect, canary }) => dialect.frame(JSON.stringify({ error: canary })), told),
  intruder(
    "error-event",
    ({ canary }) =>
      `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: "api_error", message: canary } })}\n\n`,
    told,
    { appliesTo: isSse },
  ),
  intruder(
    "comment",
    () => ": keep-alive\n\n",
    () => WHOLE,
    { appliesTo: isSse },
  ),
  intruder(
    "event-without-data",
    () => "event: ping\n\n",
    () => WHOLE,
    { appliesTo: isSse },
  ),
  intruder(
    "unknown-field",
    () => "weather: fine\nid: 7\nretry: 1\n\n",
    () => WHOLE,
    { appliesTo: isSse },
  ),
  intruder(
    "unknown-frame",
    ({ dialect }) => dialect.frame('{"type":"novelty","choices":[],"news":true}'),
    () => WHOLE,
  ),
  intruder(
    "frame-of-dangerous-names",
    ({ dialect }) =>
      dialect.frame(
        '{"type":"ping","choices":[],"__proto__":{"end":1},"constructor":{"prototype":{"kind":"x"}}}',
      ),
    () => WHOLE,
  ),
  intruder(
    "deep-frame",
    ({ dialect }) =>
      dialect.frame(`{"type":"ping","choices":[],"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`),
    () => WHOLE,
  ),
  longLine("line-of-5-mib", 5, { isHeavy: true }),
  longLine("line-of-50-mib", 50, { isHeavy: true }),
  {
    name: "body-of-100-mib",
    moments: ["after_tokens"],
    play(wire, moment) {
      wire.advance(moment);
      const frame = wire.dialect.token("x".repeat(1024 * 1024));
      let left = 100;
      wire.pump(
        () => (left-- > 0 ? frame : undefined),
        () => wire.hangUp(),
      );
    },
    expect: () => TOO_MUCH,
    isHeavy: true,
  },
  {
    name: "comments-of-100-mib",
    moments: ["after_headers"],
    play(wire, moment) {
      wire.advance(moment);
      const comment = isSse(wire.dialect)
        ? `: ${"x".repeat(1_000)}\n\n`.repeat(1_000)
        : "\n".repeat(1_000_000);
      let left = 100;
      wire.pump(
        () => (left-- > 0 ? comment : undefined),
        () => wire.hangUp(),
      );
    },
    expect: () => TOO_MUCH,
    isHeavy: true,
  },
];

const ENDS: readonly Fault[] = [
  body("done-twice", (dialect) => wholeBody(dialect) + DONE, WHOLE, { appliesTo: isChat }),
  body("done-missing", (dialect) => wholeBody(dialect).replace(DONE, ""), WHOLE, { appliesTo: isChat }),
  body("stop-missing", (dialect) => wholeBody(dialect).replace(/event: message_stop[\s\S]*/, ""), WHOLE, {
    appliesTo: ({ kind }) => kind === "anthropic",
  }),
  body("done-before-any-answer", () => DONE, fails("stream_interrupted", 200), { appliesTo: isChat }),
  // Some proxies leave the finish reason out: the server itself says that it is done.
  body("done-without-finish", (dialect) => bodyOfTokens(dialect) + DONE, WHOLE, { appliesTo: isChat }),
  body("end-twice", (dialect) => wholeBody(dialect) + dialect.ending.join(""), WHOLE),
  body(
    "finish-twice",
    (dialect) =>
      bodyOfTokens(dialect) +
      dialect.endWithWord("stop").slice(0, 1).join("") +
      dialect.endWithWord("stop").join(""),
    WHOLE,
    { appliesTo: isChat },
  ),
  body(
    "finish-unknown",
    (dialect) => bodyOfTokens(dialect) + dialect.endWithWord("exploded").join(""),
    WHOLE,
  ),
  body("noise-after-the-end", (dialect) => `${wholeBody(dialect)}data: {broken\n\n<html>`, WHOLE),
  {
    name: "open-without-done",
    moments: HEAD,
    appliesTo: isChat,
    play(wire) {
      wire.head();
      wire.body(wholeBody(wire.dialect).replace(DONE, ""));
    },
    expect: () => WHOLE,
  },
  {
    name: "open-without-stop",
    moments: HEAD,
    appliesTo: ({ kind }) => kind === "anthropic",
    play(wire) {
      wire.head();
      wire.body(wholeBody(wire.dialect).replace(/event: message_stop[\s\S]*/, ""));
    },
    expect: () => WHOLE,
  },
  {
    name: "done-never-comes",
    moments: ["after_tokens"],
    appliesTo: isChat,
    play(wire, moment) {
      wire.advance(moment);
      wire.body(wire.dialect.frame('{"choices":[]}'));
    },
    expect: expectStall,
  },
];

const CONTENTS: readonly Fault[] = [
  usage("zero", "0"),
  usage("negative", "-5"),
  usage("beyond-integers", "9007199254740993"),
  usage("beyond-numbers", "1e999"),
  usage("fraction", "1.5"),
  usage("of-text", '"7"'),
  usage("null", "null"),
  usage("of-an-object", "{}"),
  usage("contradicting", "1", "999999"),
  body("usage-missing", (dialect) => bodyOfTokens(dialect) + dialect.endWithUsage(undefined).join(""), WHOLE),
  body(
    "usage-no-json",
    (dialect) => bodyOfTokens(dialect) + dialect.endWithUsage({ input: "NaN", output: "NaN" }).join(""),
    (_moment, dialect) =>
      // Only where the finish reason came before it is the answer whole without it.
      dialect.isWholeBeforeUsage ? WHOLE : failsAfterTokens("stream_interrupted"),
  ),
  body(
    "tool-arguments-cut",
    (dialect) => bodyOfTokens(dialect) + dialect.toolCall("add", '{"a":1,"b').join(""),
    WHOLE,
  ),
  body(
    "tool-without-a-name",
    (dialect) => bodyOfTokens(dialect) + dialect.toolCall("", "{}").join(""),
    failsAfterTokens("stream_interrupted"),
  ),
  body(
    "text-of-broken-utf8",
    (dialect) => spoil(bodyOfTokens(dialect) + closing(dialect), "t2 ", [0xc3, 0x28]),
    OTHER_TEXT,
  ),
  body(
    "text-of-half-a-surrogate",
    (dialect) => bodyOfTokens(dialect).replace("t2 ", "\\ud83d") + closing(dialect),
    OTHER_TEXT,
  ),
  body(
    "text-with-nul",
    (dialect) => bodyOfTokens(dialect).replace("t2 ", "\\u0000") + closing(dialect),
    OTHER_TEXT,
  ),
  body(
    "text-null",
    (dialect) =>
      dialect.opening.join("") +
      dialect.token("").replace('""', "null") +
      bodyFrom(dialect, "after_headers").slice(dialect.opening.join("").length),
    WHOLE,
  ),
  body(
    "empty-tokens",
    (dialect) =>
      bodyUntil(dialect, "after_tokens") +
      dialect.token("").repeat(1_000) +
      bodyFrom(dialect, "after_tokens"),
    WHOLE,
  ),
  body("lines-end-in-crlf", (dialect) => wholeBody(dialect).replaceAll("\n", "\r\n"), WHOLE),
  body("lines-end-in-cr", (dialect) => wholeBody(dialect).replaceAll("\n", "\r"), WHOLE, {
    appliesTo: isSse,
  }),
  body("byte-order-mark", (dialect) => `\uFEFF${wholeBody(dialect)}`, WHOLE),
  body("no-blank-after-the-colon", (dialect) => wholeBody(dialect).replaceAll("data: ", "data:"), WHOLE, {
    appliesTo: isSse,
  }),
  body("last-blank-line-missing", (dialect) => wholeBody(dialect).trimEnd(), WHOLE),
  body(
    "many-blank-lines",
    (dialect) => wholeBody(dialect).replaceAll("\n\n", "\n\n\n\n").replace(/^/, "\n\n\n"),
    WHOLE,
  ),
  body("one-chunk-for-all", (dialect) => wholeBody(dialect), WHOLE),
];

/** All of them. */
export const FRAME_FAULTS: readonly Fault[] = [...FRAMES, ...ENDS, ...CONTENTS];

function closing(dialect: CannedDialect): string {
  return [...dialect.beforeUsage, ...dialect.ending].join("");
}

/** Puts bytes in the place of a text. */
function spoil(text: string, place: string, bytes: readonly number[]): Buffer {
  const [before = "", after = ""] = text.split(place);
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
}
