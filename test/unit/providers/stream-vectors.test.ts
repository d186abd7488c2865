import { readFileSync } from "node:fs";
import { expect } from "chai";
import { seededRandom } from "../../../src/lib/random.ts";
import { openMessageDecoder } from "../../../src/providers/anthropic/anthropic-provider.ts";
import type { AnswerDecoder } from "../../../src/providers/http/answer-decoder.ts";
import { openLinesDecoder } from "../../../src/providers/ollama/ollama-provider.ts";
import { openChatDecoder } from "../../../src/providers/openai/open-chat-decoder.ts";
import { collectToolCalls } from "../../conformance/provider-recorder.ts";
import { cutAt, type DecodedAnswer, feedDecoder, joinText } from "./decode-answer.ts";

interface Vector {
  readonly id: string;
  readonly dialect: string;
  readonly chunks_b64: readonly string[];
  readonly expect: {
    readonly text: string;
    readonly reasoning: string;
    readonly tool_calls: readonly { id: string | null; name: string; arguments: string }[];
    readonly finish_reason: string | null;
    readonly native_finish_reason: string | null;
    readonly usage: {
      input: number;
      output: number;
      cached?: number;
      reasoning?: number;
      cost?: number;
    } | null;
    readonly error_class: string | null;
  };
}

const FILE = new URL("../../fixtures/stream-vectors.json", import.meta.url);
const VECTORS: readonly Vector[] = JSON.parse(readFileSync(FILE, "utf8")).vectors;

function check(answer: DecodedAnswer, wanted: Vector["expect"]): void {
  const { events, end } = answer;
  expect(joinText(events, "text_delta")).to.equal(wanted.text);
  expect(joinText(events, "reasoning_delta")).to.equal(wanted.reasoning);
  if (wanted.error_class !== null) {
    expect(end).to.have.nested.property("failure.class", wanted.error_class);
    return;
  }
  expect(end).to.include({
    kind: "completed",
    finishReason: wanted.finish_reason,
    rawFinishReason: wanted.native_finish_reason ?? "",
  });
  const calls = collectToolCalls(events);
  expect(calls.every(({ isWellFormed }) => isWellFormed)).to.equal(true);
  expect(calls.map((call) => [call.name, call.arguments])).to.deep.equal(
    wanted.tool_calls.map((call) => [call.name, call.arguments]),
  );
  for (const [index, call] of wanted.tool_calls.entries()) {
    if (call.id === null) expect(calls[index]?.callId).to.match(/^call_attempt1_\d+$/);
    else expect(calls[index]?.callId).to.equal(call.id);
  }
  checkUsage(answer, wanted.usage);
}

function checkUsage({ events }: DecodedAnswer, wanted: Vector["expect"]["usage"]): void {
  const usage = events.findLast((event) => event.kind === "usage")?.usage;
  if (wanted === null) {
    expect(usage).to.equal(undefined);
    return;
  }
  expect(usage?.inputTokens).to.equal(wanted.input);
  expect(usage?.outputTokens).to.equal(wanted.output);
  expect(usage?.cachedInputTokens).to.equal(wanted.cached);
  expect(usage?.reasoningTokens).to.equal(wanted.reasoning);
  expect(usage?.costNanoUsd).to.equal(wanted.cost === undefined ? undefined : Math.round(wanted.cost * 1e9));
}

const ANSWER = { attemptId: "attempt-1", httpStatus: 200 };

/** The shipped decoder of a dialect. */
function openDecoder(dialect: string): AnswerDecoder {
  if (dialect === "anthropic") return openMessageDecoder(ANSWER);
  if (dialect === "ollama") return openLinesDecoder(ANSWER);
  return openChatDecoder({ ...ANSWER, provider: "any", usesTemplate: true });
}

const RECUT_COUNT = 1_000;
const SEED = 20_261_120;

describe("the stream vectors of all dialects", () => {
  it("are all there", () => {
    expect(VECTORS).to.have.length(50);
    expect(new Set(VECTORS.map(({ dialect }) => dialect))).to.deep.equal(
      new Set(["openai", "openrouter", "zhipu", "anthropic", "ollama"]),
    );
  });

  for (const vector of VECTORS) {
    const decode = (reads: readonly Buffer[]) => feedDecoder(openDecoder(vector.dialect), reads);
    const sent = vector.chunks_b64.map((chunk) => Buffer.from(chunk, "base64"));
    const bytes = Buffer.concat(sent);

    it(`${vector.id} is read right as sent, byte by byte, and cut in two at every byte`, () => {
      check(decode(sent), vector.expect);
      check(decode(Array.from(bytes, (byte) => Buffer.from([byte]))), vector.expect);
      for (let place = 0; place <= bytes.length; place++) {
        check(decode(cutAt(bytes, [place])), vector.expect);
      }
    });

    it(`${vector.id} is read right however it is cut at random`, () => {
      const random = seededRandom(SEED);
      for (let round = 0; round < RECUT_COUNT; round++) {
        const placeCount = 1 + Math.floor(random.next() * 12);
        const places = Array.from({ length: placeCount }, () => Math.floor(random.next() * bytes.length));
        check(decode(cutAt(bytes, places)), vector.expect);
      }
    });
  }
});
