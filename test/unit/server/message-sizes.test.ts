import { expect } from "chai";
import fc from "fast-check";
import { isEnveloped, MessageSizes } from "../../../src/server/connect/message-sizes.ts";
import { JsonParts, MAX_PARTS } from "../../../src/server/edge/part-counter.ts";

const MAX_BYTES = 50;

function envelope(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length, 0xee);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** Feeds bytes in pieces of the given lengths; whether all were accepted. */
function feed(sizes: MessageSizes, bytes: Buffer, pieces: readonly number[]): boolean {
  let start = 0;
  for (const length of [...pieces, bytes.length]) {
    if (sizes.accept(bytes.subarray(start, start + length)) !== undefined) return false;
    start += length;
  }
  return true;
}

describe("MessageSizes", () => {
  it("accepts messages in envelopes just when each is within the limit, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2 * MAX_BYTES), { maxLength: 6 }),
        fc.array(fc.nat(12), { maxLength: 40 }),
        (lengths, pieces) => {
          const isWithin = lengths.every((length) => length <= MAX_BYTES);
          const bytes = Buffer.concat(lengths.map(envelope));
          expect(feed(new MessageSizes(MAX_BYTES, true), bytes, pieces)).to.equal(isWithin);
        },
      ),
    );
  });

  it("refuses by the announced length, before the message comes", () => {
    const sizes = new MessageSizes(MAX_BYTES, true);
    expect(sizes.accept(Buffer.from([0, 0xff, 0xff, 0xff]))).to.equal(undefined);
    expect(sizes.accept(Buffer.from([0xff]))).to.equal("bytes");
  });

  it("counts a body without envelopes as one message", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (pieces) => {
        const sizes = new MessageSizes(MAX_BYTES, false);
        const totalBytes = pieces.reduce((sum, length) => sum + length, 0);
        const areAccepted = pieces.every((length) => sizes.accept(Buffer.alloc(length)) === undefined);
        expect(areAccepted).to.equal(totalBytes <= MAX_BYTES);
      }),
    );
  });

  it("counts the parts of each message for itself, but not of those that are compressed", () => {
    const commas = (count: number, flags: number) => {
      const bytes = envelope(count);
      bytes.fill(",", 5);
      bytes.writeUInt8(flags, 0);
      return bytes;
    };
    const sizes = new MessageSizes(2 * MAX_PARTS, true, () => new JsonParts());
    expect(feed(sizes, Buffer.concat([commas(MAX_PARTS, 0), commas(MAX_PARTS, 0)]), [1, 7, 70_000])).to.equal(
      true,
    );
    expect(feed(sizes, commas(MAX_PARTS + 1, 1), [2_000])).to.equal(true);
    expect(sizes.accept(commas(MAX_PARTS + 1, 0))).to.equal("parts");
    const body = new MessageSizes(2 * MAX_PARTS, false, () => new JsonParts());
    expect(body.accept(Buffer.alloc(MAX_PARTS, ","))).to.equal(undefined);
    expect(body.accept(Buffer.from(","))).to.equal("parts");
  });

  it("knows the content types that have envelopes", () => {
    for (const type of ["application/grpc", "application/grpc-web+proto", "application/connect+json"]) {
      expect(isEnveloped(type)).to.equal(true);
    }
    for (const type of ["application/json", "application/proto", undefined]) {
      expect(isEnveloped(type)).to.equal(false);
    }
  });

  it("knows how much has come of a message that is not complete", () => {
    const sizes = new MessageSizes(MAX_BYTES, true);
    const bytes = Buffer.concat([envelope(10), envelope(20)]);
    const unfinished = Array.from(bytes, (_, index) => {
      sizes.accept(bytes.subarray(index, index + 1));
      return sizes.unfinishedBytes;
    });
    const count = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);
    expect(unfinished).to.deep.equal([...count(14), 0, ...count(24), 0]);
  });
});
