/** What goes wrong between the head and the frames: lengths, chunks, packing. */

import { gzipSync } from "node:zlib";
import { BODY_MOMENTS, expectCut, type Fault, fails, type Moment, WHOLE } from "../fault.ts";
import { bodyUntil, type FaultWire, wholeBody } from "../fault-wire.ts";

const HEAD = ["before_headers"] as const;
const PACKED_BOMB = gzipSync(Buffer.alloc(10 * 1024 * 1024));
const PACKED = fails("server_error", 200);

function packed(name: string, encoding: string | undefined, pack: (wire: FaultWire) => Buffer): Fault {
  return {
    name,
    moments: HEAD,
    play(wire) {
      const bytes = pack(wire);
      wire.head({ framing: bytes.length, headers: { "content-encoding": encoding } });
      wire.raw(bytes);
      wire.later(() => wire.hangUp());
    },
    // Nobody asked for it, so it is not unpacked; without the header it is just noise.
    expect: () => (encoding === undefined ? fails("stream_interrupted", 200) : PACKED),
  };
}

function brokenChunk(name: string, bytes: string): Fault {
  return {
    name,
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.later(() => wire.raw(bytes));
    },
    expect: expectCut,
  };
}

/** Announces a length and sends the sound body up to a moment. */
function sendWithLength(wire: FaultWire, moment: Moment, lengthOf: (sentBytes: number) => number): void {
  const body = Buffer.from(bodyUntil(wire.dialect, moment));
  wire.head({ framing: lengthOf(body.length) });
  wire.raw(body);
}

export const CODING_FAULTS: readonly Fault[] = [
  packed("gzip-unasked", "gzip", (wire) => gzipSync(wholeBody(wire.dialect))),
  packed("gzip-bomb", "gzip", () => PACKED_BOMB),
  packed("gzip-cut", "gzip", (wire) => gzipSync(wholeBody(wire.dialect)).subarray(0, 30)),
  packed("gzip-said-but-plain", "gzip", (wire) => Buffer.from(wholeBody(wire.dialect))),
  packed("brotli-said-but-plain", "br", (wire) => Buffer.from(wholeBody(wire.dialect))),
  packed("gzip-unsaid", undefined, (wire) => gzipSync(wholeBody(wire.dialect))),
  brokenChunk("chunk-size-no-number", "zz\r\nxx\r\n"),
  brokenChunk("chunk-size-negative", "-5\r\nxx\r\n"),
  brokenChunk("chunk-size-beyond-numbers", "fffffffffffffffff\r\nx"),
  brokenChunk("chunk-longer-than-said", "2\r\nxxxxxxxx\r\n"),
  {
    name: "chunk-cut",
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.raw("ff\r\n");
      wire.later(() => wire.hangUp());
    },
    expect: expectCut,
  },
  {
    name: "length-too-long",
    moments: BODY_MOMENTS,
    play(wire, moment) {
      sendWithLength(wire, moment, (sentBytes) => sentBytes + 100);
      wire.later(() => wire.hangUp());
    },
    expect: expectCut,
  },
  {
    name: "length-too-short",
    moments: BODY_MOMENTS,
    play(wire, moment) {
      const body = Buffer.from(wholeBody(wire.dialect));
      wire.head({ framing: Buffer.byteLength(bodyUntil(wire.dialect, moment)) });
      wire.raw(body);
    },
    expect: expectCut,
  },
  {
    name: "length-too-long-after-the-end",
    moments: HEAD,
    play(wire) {
      const body = Buffer.from(wholeBody(wire.dialect));
      wire.head({ framing: body.length + 100 });
      wire.raw(body);
      wire.later(() => wire.hangUp());
    },
    expect: () => WHOLE,
  },
  {
    name: "last-chunk-missing",
    moments: HEAD,
    play(wire) {
      wire.head();
      wire.body(wholeBody(wire.dialect));
      wire.later(() => wire.hangUp());
    },
    expect: () => WHOLE,
  },
  {
    name: "open-after-the-end",
    moments: HEAD,
    play(wire) {
      wire.head();
      wire.body(wholeBody(wire.dialect));
    },
    expect: () => WHOLE,
  },
  {
    name: "trailers",
    moments: HEAD,
    play(wire) {
      wire.head({ headers: { trailer: "x-late" } });
      wire.body(wholeBody(wire.dialect));
      wire.raw("0\r\nx-late: yes\r\n\r\n");
    },
    expect: () => WHOLE,
  },
  {
    name: "one-byte-per-chunk",
    moments: HEAD,
    play(wire) {
      wire.head();
      for (const byte of Buffer.from(wholeBody(wire.dialect))) wire.body(Buffer.from([byte]));
      wire.endBody();
    },
    expect: () => WHOLE,
  },
];
