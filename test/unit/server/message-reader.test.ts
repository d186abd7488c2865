import { expect } from "chai";
import fc from "fast-check";
import { MessageReader } from "../../../src/server/grpc/message-reader.ts";

const MAX_BYTES = 1_000;

function frame(message: Uint8Array, flags = 0, announcedBytes = message.byteLength): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(announcedBytes, 1);
  return Buffer.concat([prefix, message]);
}

/** The message, or what is wrong. */
function read(pieces: readonly Buffer[]) {
  const reader = new MessageReader(MAX_BYTES);
  for (const piece of pieces) {
    const problem = reader.accept(piece);
    if (problem !== undefined) return problem;
  }
  return reader.finish();
}

describe("the one message of a call", () => {
  it("is the same however its body is cut", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: MAX_BYTES }),
        fc.array(fc.nat(MAX_BYTES + 5), { maxLength: 8 }),
        (message, cuts) => {
          const body = frame(message);
          const at = [0, ...cuts.map((cut) => Math.min(cut, body.length)), body.length].sort((a, b) => a - b);
          const pieces = at.slice(1).map((end, index) => body.subarray(at[index], end));
          const found = read(pieces.filter((piece) => piece.length > 0));
          expect(Buffer.from(found as Uint8Array).equals(Buffer.from(message))).to.equal(true);
        },
      ),
    );
  });

  for (const [title, pieces, problem] of [
    ["no bytes", [], "none"],
    ["half a prefix", [Buffer.alloc(3)], "incomplete"],
    ["half a message", [frame(Buffer.from("ab"), 0, 3)], "incomplete"],
    ["a byte too many", [frame(Buffer.from("ab"), 0, 1)], "several"],
    ["a second message", [frame(Buffer.from("ab")), frame(Buffer.from("cd"))], "several"],
    ["a compressed message", [frame(Buffer.from("ab"), 1)], "compressed"],
    ["a message beyond the limit", [frame(Buffer.alloc(0), 0, MAX_BYTES + 1)], "too large"],
    ["the largest length there is", [Buffer.from([0, 255, 255, 255, 255])], "too large"],
    ["a prefix in pieces, and too large", [Buffer.from([0, 0]), Buffer.from([1, 0, 0])], "too large"],
  ] as const) {
    it(`is refused as ${problem}: ${title}`, () => {
      expect(read(pieces)).to.equal(problem);
    });
  }

  it("does not keep in memory what else came in the same read of the socket", () => {
    const socketRead = Buffer.from(new ArrayBuffer(64 * 1024));
    const piece = frame(new Uint8Array([7]));
    piece.copy(socketRead, 100);
    const message = read([socketRead.subarray(100, 100 + piece.length)]);
    if (typeof message === "string") throw new Error(message);
    expect([...message]).to.deep.equal([7]);
    expect(message.buffer).to.not.equal(socketRead.buffer);
  });
});
