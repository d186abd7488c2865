/** Answers with a status that is no success. */

import type { FailureClass } from "../../../src/domain/outcome.ts";
import type { CannedDialect } from "../canned-answer.ts";
import { type Fault, fails } from "../fault.ts";
import type { FaultWire } from "../fault-wire.ts";

const HEAD = ["before_headers"] as const;

/**
 * What each status means where the body says nothing more, from docs/errors.md and the
 * providers' pages. OpenRouter's 503 says that no host fits, Ollama's 502 that a model
 * of its maker's cloud cannot be reached.
 */
const STATUSES: readonly (readonly [status: number, FailureClass])[] = [
  ...[300, 301, 302, 303, 304, 307, 308].map((status) => [status, "server_error"] as const),
  ...[400, 405, 409, 411, 413, 415, 418, 422, 431, 451].map((status) => [status, "invalid_request"] as const),
  [401, "auth"],
  [402, "quota_exhausted"],
  [403, "model_unavailable"],
  [404, "model_unavailable"],
  [408, "timeout"],
  [410, "model_unavailable"],
  [425, "rate_limit"],
  [429, "rate_limit"],
  [499, "server_error"],
  [500, "server_error"],
  [501, "server_error"],
  [502, "server_error"],
  [503, "overloaded"],
  [504, "timeout"],
  [520, "server_error"],
  [524, "timeout"],
  [529, "overloaded"],
  [599, "server_error"],
];

function classOf(status: number, { kind }: CannedDialect): FailureClass {
  if (status === 503 && kind === "openrouter") return "model_unavailable";
  if (status === 502 && kind === "ollama") return "model_unavailable";
  return STATUSES.find(([each]) => each === status)?.[1] ?? "server_error";
}

function statusFault(name: string, status: number, play: (wire: FaultWire) => void): Fault {
  return {
    name,
    moments: HEAD,
    play,
    expect: (_moment, dialect) => fails(classOf(status, dialect), status),
  };
}

/** An error that says nothing but its text, in JSON. */
function plainError(wire: FaultWire): string {
  return JSON.stringify({ error: { message: wire.canary } });
}

const redirect = { location: "http://127.0.0.1:9/elsewhere" };

/** Bodies that an error can have, and none of which may change its class. */
const BODIES: readonly (readonly [string, (wire: FaultWire) => void])[] = [
  [
    "page",
    (wire) => wire.answer("500 Broken", `<html>${wire.canary}</html>`, { "content-type": "text/html" }),
  ],
  ["nothing", (wire) => wire.answer("500 Broken", "")],
  ["megabyte", (wire) => wire.answer("500 Broken", wire.canary.repeat(1 + 2 ** 20 / wire.canary.length))],
  ["deep-json", (wire) => wire.answer("500 Broken", `${"[".repeat(50_000)}${"]".repeat(50_000)}`)],
  ["noise", (wire) => wire.answer("500 Broken", Buffer.from([0xff, 0xfe, 0, 1, 2, 0xc3, 0x28]))],
  [
    "silence",
    (wire) => {
      wire.head({ status: "500 Broken", framing: 100 });
      wire.raw(wire.canary);
    },
  ],
  [
    "no-end",
    (wire) => {
      wire.head({ status: "500 Broken" });
      wire.every(1, () => wire.body(wire.canary.repeat(200)));
    },
  ],
  [
    "cut",
    (wire) => {
      wire.head({ status: "500 Broken", framing: 1_000 });
      wire.raw(wire.canary);
      wire.later(() => wire.reset());
    },
  ],
  [
    "packed",
    (wire) =>
      wire.answer("500 Broken", Buffer.from("1f8b0800000000000003", "hex"), { "content-encoding": "gzip" }),
  ],
];

/** What a server may write into Retry-After (RFC 9110 10.2.3 allows the first two). */
const WAITS: readonly (readonly [string, string])[] = [
  ["seconds", "1"],
  ["date", "Wed, 21 Oct 2099 07:28:00 GMT"],
  ["past-date", "Wed, 21 Oct 2015 07:28:00 GMT"],
  ["huge", "99999999999999999999"],
  ["negative", "-5"],
  ["garbage", "soon"],
];

export const STATUS_FAULTS: readonly Fault[] = [
  ...STATUSES.map(([status]) =>
    statusFault(`status-${status}`, status, (wire) =>
      status === 304
        ? wire.answer("304 Not Modified", "", { "content-length": undefined })
        : wire.answer(`${status} Whatever`, plainError(wire), status < 400 ? redirect : {}),
    ),
  ),
  ...BODIES.map(([name, play]) => statusFault(`status-500-with-${name}`, 500, play)),
  ...WAITS.map(([name, value]) =>
    statusFault(`wait-of-${name}`, 429, (wire) =>
      wire.answer("429 Too Many Requests", plainError(wire), { "retry-after": value }),
    ),
  ),
];
