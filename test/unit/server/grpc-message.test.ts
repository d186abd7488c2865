import { expect } from "chai";
import fc from "fast-check";
import { encodeGrpcMessage, repairGrpcMessage } from "../../../src/server/rpc/grpc-message.ts";

describe("grpc-message", () => {
  for (const [message, encoded] of [
    ["a/b: c; d?", "a/b: c; d?"],
    ["100 %", "100 %25"],
    ["ü", "%C3%BC"],
    ["line\nbreak", "line%0Abreak"],
    [" edge ", "%20edge%20"],
    ["", ""],
  ] as const) {
    it(`carries ${JSON.stringify(message)} as ${JSON.stringify(encoded)}`, () => {
      expect(encodeGrpcMessage(message)).to.equal(encoded);
      expect(repairGrpcMessage(encodeURIComponent(message))).to.equal(encoded);
    });
  }

  it("can be decoded to what it was, and is a valid header value, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (message) => {
        const encoded = encodeGrpcMessage(message);
        expect(encoded).to.match(/^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$/);
        expect(decodeURIComponent(encoded)).to.equal(message.toWellFormed());
      }),
      { numRuns: 50 },
    );
  });
});
