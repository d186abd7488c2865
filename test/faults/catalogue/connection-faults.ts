/** What goes wrong with the connection itself: ends, silences, crawling. */

import {
  ANSWER_MOMENTS,
  BODY_MOMENTS,
  expectCut,
  expectStall,
  type Fault,
  type Moment,
  WHOLE,
} from "../fault.ts";
import type { FaultWire } from "../fault-wire.ts";

/** A pause that no limit minds. */
const SHORT_PAUSE_MS = 150;
const DRIP_EVERY_MS = 50;

function startDrip(wire: FaultWire, moment: Moment): void {
  if (moment === "before_headers") {
    wire.raw("HTTP/1.1 200 OK\r\nx-slow: ");
    return wire.every(DRIP_EVERY_MS, () => wire.raw("x"));
  }
  const { framing } = wire.dialect;
  if (framing === "sse") wire.body(": ");
  wire.every(DRIP_EVERY_MS, () => wire.body(framing === "sse" ? "x" : " "));
}

export const CONNECTION_FAULTS: readonly Fault[] = [
  {
    name: "reset",
    moments: ANSWER_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.later(() => wire.reset());
    },
    expect: expectCut,
  },
  {
    name: "hang-up",
    moments: ANSWER_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.later(() => wire.hangUp());
    },
    expect: expectCut,
  },
  {
    name: "half-close",
    moments: ANSWER_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.later(() => wire.halfClose());
    },
    expect: expectCut,
  },
  {
    name: "cut-frame",
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.body(wire.dialect.token("never whole").slice(0, 20));
      wire.later(() => wire.hangUp());
    },
    expect: expectCut,
  },
  {
    name: "silence",
    moments: ANSWER_MOMENTS,
    play: (wire, moment) => wire.advance(moment),
    expect: expectStall,
  },
  {
    name: "silence-inside-a-frame",
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.body(wire.dialect.token("never whole").slice(0, 20));
    },
    expect: expectStall,
  },
  {
    name: "one-byte-now-and-then",
    moments: ANSWER_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      startDrip(wire, moment);
    },
    expect: expectStall,
  },
  {
    name: "comments-for-ever",
    moments: BODY_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      const comment = wire.dialect.framing === "sse" ? ": still thinking\n\n" : "\n";
      wire.every(DRIP_EVERY_MS, () => wire.body(comment));
    },
    expect: expectStall,
  },
  {
    name: "short-pause",
    moments: ANSWER_MOMENTS,
    play(wire, moment) {
      wire.advance(moment);
      wire.later(() => wire.proceed(moment), SHORT_PAUSE_MS);
    },
    expect: () => WHOLE,
  },
];
