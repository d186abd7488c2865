import { expect } from "chai";
import fc from "fast-check";
import { SseReader } from "../../../src/providers/http/sse-reader.ts";
import { cutAt } from "./decode-answer.ts";

type Event = readonly [name: string, data: string];

/** Reads the events of these reads; `stopAfter` many are wanted. */
function readEvents(reads: readonly Buffer[], stopAfter = Number.POSITIVE_INFINITY): Event[] {
  const events: Event[] = [];
  const reader = new SseReader({
    takeEvent: () => -1,
    onEvent(name, data) {
      events.push([name, data]);
      return events.length < stopAfter;
    },
  });
  for (const read of reads) reader.push(read);
  reader.finish();
  return events;
}

describe("SseReader", () => {
  const cases: readonly [string, readonly Event[]][] = [
    [
      "data: a\n\ndata: b\n\n",
      [
        ["", "a"],
        ["", "b"],
      ],
    ],
    ["data:a\r\n\r\n", [["", "a"]]],
    ["data:  a \r\r", [["", " a "]]],
    ["data: a\r\ndata: b\r\n\r\n", [["", "a\nb"]]],
    ["data\ndata\n\n", [["", "\n"]]],
    [
      "event: error\ndata: x\n\ndata: y\n\n",
      [
        ["error", "x"],
        ["", "y"],
      ],
    ],
    [": ping\nid: 7\nretry: 5\ndata: a\n: pong\n\n", [["", "a"]]],
    ["database: a\ndat: b\n data: c\n\n", []],
    ["event: lonely\n\ndata: a\n\n", [["", "a"]]],
    ["\uFEFFdata: a\n\n\uFEFFdata: b\n\n", [["", "a"]]],
    [
      "data: a\n\ndata: left",
      [
        ["", "a"],
        ["", "left"],
      ],
    ],
    ["data: 你好😀\n\n", [["", "你好😀"]]],
    ["\n\n\r\n\r\r\n", []],
    ["", []],
  ];
  for (const [text, wanted] of cases) {
    it(`reads ${JSON.stringify(text)} the same at every cut`, () => {
      const bytes = Buffer.from(text);
      for (let one = 0; one <= bytes.length; one++) {
        for (let two = one; two <= bytes.length; two++) {
          expect(readEvents(cutAt(bytes, [one, two]))).to.deep.equal(wanted);
        }
      }
    });
  }

  it("reads any bytes the same whatever the cuts", () => {
    const piece = fc.constantFrom("\r", "\n", "data", ":", " ", "event: e", "é", "x", "\uFEFF");
    const bytes = fc.array(piece, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join("")));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(60), { maxLength: 6 }), (whole, places) => {
        const cuts = places.map((place) => place % (whole.length + 1));
        expect(readEvents(cutAt(whole, cuts))).to.deep.equal(readEvents([whole]));
      }),
      { numRuns: 1_000 },
    );
  });

  it("stops for good when it is told to", () => {
    const reads = ["data: a\n\ndata: b\n\n", "data: c\n\n"].map((text) => Buffer.from(text));
    expect(readEvents(reads, 1)).to.deep.equal([["", "a"]]);
  });
});
