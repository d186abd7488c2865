import { expect } from "chai";
import fc from "fast-check";
import type { GenerationEvent } from "../../../src/domain/event.ts";
import { openLinesDecoder } from "../../../src/providers/ollama/ollama-provider.ts";
import { InlineMarks } from "../../../src/providers/openai/inline-marks.ts";
import { cutAt, decodeReads, feedDecoder, joinText, sse, sseDelta } from "./decode-answer.ts";

const VISION = "z-ai/glm-4.5v";
const END = sseDelta({}, { finish_reason: "stop" });

/** What is told of a text that comes in these pieces, and how many events were empty. */
function read(pieces: readonly string[], upstreamModel = "m") {
  const marks = new InlineMarks(upstreamModel);
  const events: GenerationEvent[] = [];
  for (const piece of pieces) marks.add(piece, events);
  marks.flush(events);
  expect(events.filter((event) => "text" in event && event.text === "")).to.deep.equal([]);
  return { text: joinText(events, "text_delta"), reasoning: joinText(events, "reasoning_delta") };
}

const CASES: readonly (readonly [string, string, string, string, string])[] = [
  ["thoughts first", "m", "<think>hm < 3</think>Yes.", "Yes.", "hm < 3"],
  ["thoughts after blanks", "m", "\n <think>hm</think>\n\nYes.", "\n\nYes.", "hm"],
  ["thoughts that never end", "m", "<think>hm</thin", "", "hm</thin"],
  ["no thoughts", "m", "</think>", "</think>", ""],
  ["talk about thoughts", "m", "Write <think>x</think>.", "Write <think>x</think>.", ""],
  ["the beginning of the mark alone", "m", " <thi", " <thi", ""],
  ["only blanks", "m", "  ", "  ", ""],
  ["thoughts after too many blanks", "m", `${" ".repeat(65)}<think>x`, `${" ".repeat(65)}<think>x`, ""],
  ["a box", VISION, "It is <|begin_of_box|>42<|end_of_box|>.", "It is 42.", ""],
  ["thoughts and a box", VISION, "<think>6·7</think><|begin_of_box|>42<|end_of_box|>", "42", "6·7"],
  ["another mark of the kind", VISION, "<|end_of_text|> <|begin", "<|end_of_text|> <|begin", ""],
  ["a mark torn by a mark", VISION, "<|be<|end_of_box|>gin_of_box|>", "<|begin_of_box|>", ""],
  ["a box of a model without boxes", "glm-4.6", "<|begin_of_box|>", "<|begin_of_box|>", ""],
];

describe("marks inside the text of an answer", () => {
  it("are told apart in lines of Ollama too", () => {
    const line = (content: string, more = {}) =>
      `${JSON.stringify({ message: { role: "assistant", content }, done: false, ...more })}\n`;
    const reads = [line("<thi"), line("nk>hm</th"), line("ink>Yes <b"), line("", { done: true })];
    const { events, end } = feedDecoder(openLinesDecoder({ attemptId: "a", httpStatus: 200 }), reads);
    expect(joinText(events, "reasoning_delta")).to.equal("hm");
    expect(joinText(events, "text_delta")).to.equal("Yes <b");
    expect(end).to.include({ kind: "completed" });
  });

  for (const [title, model, content, text, reasoning] of CASES) {
    it(`are told apart wherever it is cut: ${title}`, () => {
      expect(read([content], model)).to.deep.equal({ text, reasoning });
      expect(read([...content], model)).to.deep.equal({ text, reasoning });
      for (let at = 0; at <= content.length; at++) {
        const told = read([content.slice(0, at), content.slice(at)], model);
        expect(told, `cut at ${at}`).to.deep.equal({ text, reasoning });
      }
    });
  }

  it("mean the same in any cut of any text", () => {
    const part = fc.constantFrom(
      "<think>",
      "</think>",
      "<|begin_of_box|>",
      "<|end_of_box|>",
      "<|",
      "<",
      " ",
      "a",
    );
    const pieces = fc.array(fc.oneof(part, fc.string({ maxLength: 3 })), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.constantFrom("m", VISION), (texts, model) => {
        expect(read([...texts.join("")], model)).to.deep.equal(read([texts.join("")], model));
      }),
    );
  });

  for (const usesTemplate of [true, false]) {
    it(`are found at any cut of the bytes, ${usesTemplate ? "with" : "without"} a learned shape`, () => {
      const words = [
        "<thi",
        "nk>hm",
        "</th",
        "ink>",
        "It is ",
        "<|begin_of",
        "_box|>4",
        "2<|end_of_box|>",
        "!",
      ];
      const bytes = Buffer.from(words.map((content) => sseDelta({ content })).join("") + END);
      for (let at = 0; at < bytes.length; at++) {
        const { events, end } = decodeReads(cutAt(bytes, [at]), usesTemplate, VISION);
        expect(end).to.have.property("kind", "completed");
        expect(joinText(events, "text_delta")).to.equal("It is 42!");
        expect(joinText(events, "reasoning_delta")).to.equal("hm");
      }
    });
  }

  it("are found in an answer that comes whole", () => {
    const content = "<think>hm</think><|begin_of_box|>42<|end_of_box|>";
    const choice = { index: 0, message: { content }, finish_reason: "stop" };
    const { events } = decodeReads([JSON.stringify({ choices: [choice] })], true, VISION);
    expect(events.map((event) => ("text" in event ? event.text : event.kind))).to.deep.equal(["hm", "42"]);
  });

  it("that were never whole are text when the answer ends", () => {
    const { events } = decodeReads([sse({ choices: [{ delta: { content: "<thi" } }] }), END]);
    expect(joinText(events, "text_delta")).to.equal("<thi");
  });
});
