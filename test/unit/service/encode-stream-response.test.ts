import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import { StreamGenerateResponseSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import { encodeStreamResponse } from "../../../src/service/encode-stream-response.ts";

function expectSame(init: MessageInitShape<typeof StreamGenerateResponseSchema>): void {
  const message = create(StreamGenerateResponseSchema, init);
  const made = Buffer.from(encodeStreamResponse(message));
  const expected = Buffer.from(toBinary(StreamGenerateResponseSchema, message));
  expect(made.toString("hex")).to.equal(expected.toString("hex"));
}

describe("the bytes of a stream's messages", () => {
  it("are those that protobuf-es makes, whatever the text and the numbers", () => {
    const number = fc.oneof(fc.nat(3), fc.nat(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
    // Halves of surrogate pairs too: each becomes U+FFFD.
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc.constant("\ud83d"),
    );
    fc.assert(
      fc.property(number, number, text, (sequenceNumber, attemptNumber, value) => {
        expectSame({ sequenceNumber, attemptNumber, event: { case: "textDelta", value: { text: value } } });
      }),
      { numRuns: 2_000 },
    );
  });

  for (const length of [127, 128, 16_383, 16_384, 2_097_152]) {
    it(`are the same where the length of the text takes another byte: ${length}`, () => {
      expectSame({ sequenceNumber: 1, event: { case: "textDelta", value: { text: "x".repeat(length) } } });
    });
  }

  it("are the same of every other event", () => {
    expectSame({
      sequenceNumber: 1,
      attemptNumber: 1,
      event: { case: "reasoningDelta", value: { text: "x" } },
    });
    expectSame({ sequenceNumber: 1, attemptNumber: 1, event: { case: "finished", value: { model: "m" } } });
    expectSame({});
  });
});
