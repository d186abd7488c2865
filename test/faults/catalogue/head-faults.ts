/** What goes wrong with the head of an answer. */

import { type Fault, fails, OTHER_TEXT, type Verdict, WHOLE } from "../fault.ts";
import { bodyUntil, type FaultWire, wholeBody } from "../fault-wire.ts";

const HEAD = ["before_headers"] as const;

/** A fault that strikes before any header is read. */
function headFault(
  name: string,
  play: (wire: FaultWire) => void,
  verdict: Verdict,
  more: Partial<Fault> = {},
): Fault {
  return { name, moments: HEAD, play, expect: () => verdict, ...more };
}

function headers(changes: Readonly<Record<string, string | undefined>>) {
  return (wire: FaultWire): void => {
    wire.head({ headers: changes });
    wire.body(wholeBody(wire.dialect));
    wire.endBody();
  };
}

function refuse(bytes: string | Buffer) {
  return (wire: FaultWire): void => {
    wire.raw(bytes);
  };
}

/** Sends header lines until nobody listens any more. */
function sendEndlessHeaders(wire: FaultWire): void {
  wire.raw("HTTP/1.1 200 OK\r\n");
  const lines = `x-filler: ${"f".repeat(1_000)}\r\n`.repeat(16);
  const step = () => {
    if (!wire.isClosed) wire.raw(lines);
  };
  wire.every(1, step);
}

const NOT_HTTP = fails("server_error");

export const HEAD_FAULTS: readonly Fault[] = [
  headFault("not-http", refuse("SSH-2.0-OpenSSH_9.2\r\n\r\n"), NOT_HTTP),
  headFault("binary-noise", refuse(Buffer.from([0, 255, 1, 254, 13, 10, 13, 10])), NOT_HTTP),
  headFault("http2-preface", refuse(Buffer.from("000012040000000000000300000064", "hex")), NOT_HTTP),
  headFault("garbage-status", refuse("HTTP/1.1 abc OK\r\n\r\n"), NOT_HTTP),
  headFault("headers-without-end", sendEndlessHeaders, NOT_HTTP),
  headFault("header-of-64-kib", headers({ "x-large": "l".repeat(64 * 1024) }), NOT_HTTP),
  headFault("nul-in-a-header", headers({ "x-nul": "a\0b" }), NOT_HTTP),
  headFault(
    "two-lengths",
    refuse("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello"),
    NOT_HTTP,
  ),
  headFault("negative-length", refuse("HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello"), NOT_HTTP),
  headFault(
    "length-that-is-no-number",
    refuse("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\nhello"),
    NOT_HTTP,
  ),
  headFault("length-beside-chunks", headers({ "content-length": "10" }), NOT_HTTP),
  headFault(
    "early-hints-storm",
    (wire) => {
      wire.raw("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(200));
      wire.proceed("before_headers");
    },
    WHOLE,
  ),
  headFault("continue-unasked", refuse("HTTP/1.1 100 Continue\r\n\r\n"), fails("network")),
  headFault(
    "switches-protocols",
    refuse("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    fails("network"),
  ),
  headFault(
    "no-content",
    (wire) => wire.answer("204 No Content", "", { "content-length": undefined }),
    fails("stream_interrupted", 204),
  ),
  headFault("empty-body", (wire) => wire.answer("200 OK", ""), fails("stream_interrupted", 200)),
  headFault(
    "page-with-200",
    (wire) => wire.answer("200 OK", `<!doctype html><p>${wire.canary}`, { "content-type": "text/html" }),
    fails("server_error", 200),
  ),
  headFault(
    "error-with-200",
    (wire) => wire.answer("200 OK", wire.dialect.errorJson(wire.canary)),
    fails("server_error", 200),
  ),
  headFault("whole-json-unasked", (wire) => wire.answer("200 OK", wire.dialect.wholeJson), WHOLE),
  headFault("content-type-plain", headers({ "content-type": "text/plain" }), WHOLE),
  headFault("content-type-json", headers({ "content-type": "application/json" }), WHOLE),
  headFault("content-type-octets", headers({ "content-type": "application/octet-stream" }), WHOLE),
  headFault("content-type-missing", headers({ "content-type": undefined }), WHOLE),
  headFault("identity-encoding", headers({ "content-encoding": "identity" }), WHOLE),
  headFault(
    "old-http-ends-by-closing",
    (wire) => {
      wire.head({ version: "1.0", framing: "close" });
      wire.body(wholeBody(wire.dialect));
      wire.hangUp();
    },
    WHOLE,
  ),
  {
    name: "old-http-cut",
    moments: ["after_tokens"],
    // Without a length nothing but the dialect's own end tells a cut from an end.
    play(wire, moment) {
      wire.head({ version: "1.0", framing: "close" });
      wire.body(bodyUntil(wire.dialect, moment));
      wire.hangUp();
    },
    expect: () => fails("stream_interrupted", 200),
  },
  headFault(
    "another-model-answers",
    (wire) => {
      wire.head();
      wire.body(wholeBody(wire.dialect).replaceAll("upstream-1", "somebody-else"));
      wire.endBody();
    },
    OTHER_TEXT,
  ),
];
