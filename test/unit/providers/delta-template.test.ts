import { expect } from "chai";
import fc from "fast-check";
import { readChatChunk } from "../../../src/providers/openai/chat-chunk.ts";
import { DeltaTemplate } from "../../../src/providers/openai/delta-template.ts";
import { cutAt, decodeReads } from "./decode-answer.ts";

type Shape = (text: string) => string;

const wrap = (members: string) => `{"id":"c1","model":"m–1","choices":[{"index":0,${members}}]}`;
/** As servers write deltas; the text is JSON already. */
const SHAPES: readonly Shape[] = [
  (text) => wrap(`"delta":{"content":${text}},"finish_reason":null`),
  (text) => wrap(`"delta":{"role":"assistant","content":${text}}`),
  (text) => wrap(`"delta": {"content": ${text}}, "finish_reason": ""`),
  (text) => wrap(`"delta":{"reasoning_content":${text},"content":null}`),
  (text) => wrap(`"delta":{"reasoning":${text},"content":""}`),
  (text) => wrap(`"delta":{"content":"a","content":${text}}`),
  (text) => wrap(`"delta":{"content":${text},"content":"b"}`),
  (text) => wrap(`"logprobs":{"content":"x"},"delta":{"content":${text}}`),
  (text) => wrap(`"message":{"content":${text}},"delta":{"content":"y"}`),
  (text) => wrap(`"delta":{"content":"c","reasoning_content":${text}}`),
  (text) => wrap(`"delta":{"content":${text}},"finish_reason":"stop"`),
  (text) => `{"choices":[{"index":1,"delta":{"content":${text}}}]}`,
  (text) => `{"choices":[{"delta":{"content":${text}}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`,
  (text) =>
    `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":${text}}}]}}]}`,
];

const texts = fc.oneof(
  fc.constantFrom(
    "",
    " a",
    "Hello",
    '"',
    "\\",
    "\n",
    '\\"',
    "你好",
    "😀",
    "\u0007",
    "a longer piece of text",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);
const encodedText = fc.oneof(
  { weight: 6, arbitrary: texts.map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: fc.constantFrom("null", '"\\u0041"', '"tab\there"', '"\\ud83d"', '"open', "7") },
);
const separators = fc.constantFrom("\n\n", "\r\n\r\n", "\r\r", "\n\r\n", "\n\n\n", "\n: ping\n\n");
const prefixes = fc.constantFrom("data: ", "data:", "event: message\ndata: ");

/** A stream that stays with one shape for a while, as real ones do. */
const streams = fc
  .array(
    fc.record({
      shape: fc.constantFrom(...SHAPES),
      prefix: prefixes,
      separator: separators,
      encodedTexts: fc.array(encodedText, { minLength: 1, maxLength: 8 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((runs) =>
    Buffer.from(
      runs
        .flatMap(({ shape, prefix, separator, encodedTexts }) =>
          encodedTexts.map((text) => prefix + shape(text) + separator),
        )
        .join(""),
    ),
  );

describe("DeltaTemplate", () => {
  it("gives the same events and the same end as parsing every event", () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(2_000), { maxLength: 4 }), (bytes, places) => {
        const reads = cutAt(
          bytes,
          places.map((place) => place % (bytes.length + 1)),
        );
        expect(decodeReads(reads, true)).to.deep.equal(decodeReads(reads, false));
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives the same as parsing when bytes are damaged", () => {
    const damage = fc.record({ place: fc.nat(5_000), byte: fc.nat(255) });
    fc.assert(
      fc.property(streams, fc.array(damage, { minLength: 1, maxLength: 5 }), (bytes, damages) => {
        const damaged = Buffer.from(bytes);
        for (const { place, byte } of damages) damaged[place % damaged.length] = byte;
        expect(decodeReads([damaged], true)).to.deep.equal(decodeReads([damaged], false));
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives the same as parsing when the model's name changes on the way", () => {
    const event = (model: string, text: string, finish = "null") =>
      `data:{"id":"c","model":"${model}","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":${finish}}]}\n\n`;
    const later = [event("a", "hello"), event("a", ""), event("b", ""), event("a", ""), event("a", "")];
    const bytes = Buffer.from(event("a", "", '"stop"').repeat(3) + later.join(""));
    expect(decodeReads([bytes], true)).to.deep.equal(decodeReads([bytes], false));
    expect(decodeReads([bytes], true).end).to.include({ responseModel: "a" });
  });

  it("reads the same whatever the cuts", () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(2_000), { maxLength: 8 }), (bytes, places) => {
        const cuts = places.map((place) => place % (bytes.length + 1));
        expect(decodeReads(cutAt(bytes, cuts))).to.deep.equal(decodeReads([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  function learnFrom(template: DeltaTemplate, raw: string): void {
    const chunk = readChatChunk(JSON.parse(raw.slice("data: ".length)));
    if (chunk) template.learn(Buffer.from(raw).toString("latin1"), chunk);
  }

  function match(template: DeltaTemplate, event: string): number {
    const bytes = Buffer.from(event);
    return template.match(bytes, bytes.toString("latin1"), 0);
  }

  const plain = (text: string, id = "c1") =>
    `data: {"id":"${id}","choices":[{"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`;

  it("takes the next event of the same shape without parsing it", () => {
    const template = new DeltaTemplate();
    learnFrom(template, plain("Hel"));
    expect(match(template, plain("你好 😀"))).to.equal(Buffer.byteLength(plain("你好 😀")));
    expect(template.text).to.equal("你好 😀");
    expect(template.kind).to.equal("text_delta");
  });

  it("takes a text with escapes too", () => {
    const template = new DeltaTemplate();
    learnFrom(template, plain("Hel"));
    const event = plain('\\"a\\" \\\\ \\n\\u00e9 \\ud83d\\ude00 你');
    expect(match(template, event)).to.equal(Buffer.byteLength(event));
    expect(template.text).to.equal('"a" \\ \né 😀 你');
  });

  it("learns reasoning too", () => {
    const template = new DeltaTemplate();
    const reasoning = (text: string) => `data: {"choices":[{"delta":{"reasoning_content":"${text}"}}]}\n\n`;
    learnFrom(template, reasoning("hm"));
    expect(match(template, reasoning("so"))).to.be.greaterThan(0);
    expect(template.kind).to.equal("reasoning_delta");
  });

  for (const [what, event] of [
    ["an escape that is none", plain("a\\x")],
    ["half a character", plain("a\\ud83d")],
    ["an escape without end", plain("abc\\").slice(0, -40)],
    ["a control character", plain("a\tb")],
    ["another prefix", plain("a", "c2")],
    ["a text without end", plain("abc").slice(0, -50)],
    ["a finish reason", plain("a").replace("null", '"stop"')],
  ] as const) {
    it(`declines ${what}`, () => {
      const template = new DeltaTemplate();
      learnFrom(template, plain("Hel"));
      expect(match(template, event)).to.equal(-1);
    });
  }

  it("stops learning when every event is padded anew", () => {
    const template = new DeltaTemplate();
    for (let index = 0; index < 10; index++) learnFrom(template, plain("a", `pad${index}`));
    expect(match(template, plain("b", "pad3"))).to.be.greaterThan(0);
    expect(match(template, plain("b", "pad9"))).to.equal(-1);
  });
});
