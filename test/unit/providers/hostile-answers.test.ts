import { expect } from "chai";
import { openMessageDecoder } from "../../../src/providers/anthropic/anthropic-provider.ts";
import type { AnswerDecoder } from "../../../src/providers/http/answer-decoder.ts";
import { openLinesDecoder } from "../../../src/providers/ollama/ollama-provider.ts";
import { openChatDecoder } from "../../../src/providers/openai/open-chat-decoder.ts";
import { feedDecoder } from "./decode-answer.ts";

const ANSWER = { attemptId: "attempt-1", httpStatus: 200 };
const MEBIBYTE = Buffer.alloc(1024 * 1024, "x");

const DIALECTS: readonly [string, string, () => AnswerDecoder][] = [
  [
    "OpenAI",
    'data: {"choices":[{"delta":{"content":"',
    () => openChatDecoder({ ...ANSWER, provider: "any", usesTemplate: true }),
  ],
  ["Anthropic", 'data: {"type":"content_block_delta","delta":{"text":"', () => openMessageDecoder(ANSWER)],
  ["Ollama", '{"message":{"content":"', () => openLinesDecoder(ANSWER)],
];

for (const [name, opening, open] of DIALECTS) {
  describe(`the decoder of ${name} with hostile answers`, () => {
    const failsAs = (reads: readonly (Buffer | string)[], failureClass: string) =>
      expect(feedDecoder(open(), reads).end).to.have.nested.property("failure.class", failureClass);

    it("gives up on a line of 50 MB long before its end", () => {
      const decoder = open();
      decoder.push(Buffer.from(opening));
      let count = 0;
      while (decoder.end === undefined && count < 50) {
        decoder.push(MEBIBYTE);
        count += 1;
      }
      expect(count).to.be.at.most(6);
      expect(decoder.end).to.have.nested.property("failure.class", "stream_interrupted");
    });

    it("reads a million reads of one byte without tiring", () => {
      const decoder = open();
      const byte = Buffer.from("\n");
      for (let count = 0; count < 1_000_000; count++) decoder.push(byte);
      decoder.finish();
      expect(decoder.end).to.have.nested.property("failure.class", "stream_interrupted");
    });

    it("takes a page of HTML for a server error, and nothing at all for a cut", () => {
      failsAs(["<!doctype html><html></html>"], "server_error");
      failsAs([], "stream_interrupted");
    });

    it("takes bytes that are no UTF-8 and packed bytes for what they are: nothing to read", () => {
      failsAs([Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0xff, 0xfe, 0x0a, 0x0a])], "stream_interrupted");
      failsAs(
        [Buffer.concat([Buffer.from(opening), Buffer.from([0xc3, 0x28, 0x0a, 0x0a])])],
        "stream_interrupted",
      );
    });
  });
}
