import { expect } from "chai";
import fc from "fast-check";
import { NdjsonReader } from "../../../src/providers/http/ndjson-reader.ts";
import { cutAt } from "./decode-answer.ts";

function readLines(reads: readonly Buffer[], stopAfter = Number.POSITIVE_INFINITY) {
  const lines: string[] = [];
  const reader = new NdjsonReader((line) => {
    lines.push(line);
    return lines.length < stopAfter;
  });
  const isRead = reads.map((read) => reader.push(read)).every(Boolean) && reader.finish();
  return { lines, isRead };
}

describe("NdjsonReader", () => {
  const cases: readonly [string, readonly string[]][] = [
    ['{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['{"a":1}\r\n\r\n{"b":2}', ['{"a":1}', '{"b":2}']],
    ['\uFEFF{"a":1}\n', ['{"a":1}']],
    ["\n\n  \n", []],
    ["", []],
  ];
  for (const [text, wanted] of cases) {
    it(`reads ${JSON.stringify(text)} however it is cut`, () => {
      const bytes = Buffer.from(text);
      for (let place = 0; place <= bytes.length; place++) {
        expect(readLines(cutAt(bytes, [place])).lines).to.deep.equal(wanted);
      }
    });
  }

  it("gives the same lines for any bytes, however they are cut", () => {
    const piece = fc.oneof(fc.constantFrom("\n", "\r\n", "{}", "é😀", "\uFEFF"), fc.string());
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(60)), (pieces, places) => {
        const bytes = Buffer.from(pieces.join(""));
        const fit = places.map((place) => Math.min(place, bytes.length));
        expect(readLines(cutAt(bytes, fit))).to.deep.equal(readLines([bytes]));
      }),
    );
  });

  it("stops for good when its consumer has enough", () => {
    expect(readLines([Buffer.from("a\nb\n"), Buffer.from("c\nd")], 2).lines).to.deep.equal(["a", "b"]);
  });

  it("refuses a line that is too large, whether it ends or not", () => {
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, "x");
    expect(readLines([large])).to.deep.equal({ lines: [], isRead: false });
    expect(readLines([Buffer.concat([large, Buffer.from("\n")])])).to.deep.equal({
      lines: [],
      isRead: false,
    });
  });
});
