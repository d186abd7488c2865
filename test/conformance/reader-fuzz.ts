import { readFileSync } from "node:fs";
import type { GenerationEvent } from "../../src/domain/event.ts";
import { FAILURE_CLASSES } from "../../src/domain/outcome.ts";
import type { ProviderEnd, Random } from "../../src/domain/ports.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { openMessageDecoder } from "../../src/providers/anthropic/anthropic-provider.ts";
import { classifyErrorAnswer } from "../../src/providers/failures/classify-failure.ts";
import type { AnswerDecoder } from "../../src/providers/http/answer-decoder.ts";
import { openLinesDecoder } from "../../src/providers/ollama/ollama-provider.ts";
import { openChatDecoder } from "../../src/providers/openai/open-chat-decoder.ts";

/** What a fuzz run did. */
export interface FuzzReport {
  readonly inputCount: number;
  /** How the answers ended, by `completed` or the class of failure. */
  readonly ends: ReadonlyMap<string, number>;
}

interface Seed {
  readonly dialect: string;
  readonly bytes: Buffer;
}

const FILE = new URL("../fixtures/stream-vectors.json", import.meta.url);
const PLACE = { provider: "any", wallNowMs: 0 } as const;

/** Bytes and words that mean something to the readers. */
const TOKENS = [
  ...'\n\r:{}[]",\\ 0',
  "\n\n",
  "\r\n",
  "data: ",
  "event: error\n",
  "[DONE]",
  "null",
  "\\ud83d",
  "\\udc00",
  '"index":0',
  '"error":"x"',
  '"content":""',
  '"finish_reason":"stop"',
  "\uFEFF",
  "1e999",
  "__proto__",
].map((token) => Buffer.from(token));

/**
 * Feeds answers that were damaged at random to every dialect's decoder. Throws, with
 * the input, when one throws, does not end, ends in no known way, gives an event that
 * breaks its promise, or understands the same bytes otherwise when they are cut
 * otherwise. The same seed gives the same inputs.
 */
export function fuzzReaders(inputCount: number, seed: number): FuzzReport {
  const random = seededRandom(seed);
  const seeds = readSeeds();
  const ends = new Map<string, number>();
  for (let count = 0; count < inputCount; count++) {
    const { dialect, bytes: sound } = pick(seeds, random);
    // Now and then one dialect's reader gets what another dialect sent.
    const bytes = damage(random.next() < 0.9 ? sound : pick(seeds, random).bytes, seeds, random);
    const end = checkOne(dialect, bytes, random);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  return { inputCount, ends };
}

function checkOne(dialect: string, bytes: Buffer, random: Random): string {
  try {
    const whole = decode(openDecoder(dialect, true), [bytes]);
    const cut = decode(openDecoder(dialect, random.next() < 0.5), cutAnywhere(bytes, random));
    if (summarize(whole) !== summarize(cut)) throw new Error("it is understood otherwise when cut otherwise");
    for (const event of whole.events) checkEvent(event);
    classifyErrorAnswer(400, bytes.toString("utf8"), undefined, PLACE);
    return nameEnd(whole.end);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${dialect} ${bytes.toString("base64")}: ${why}`, { cause: error });
  }
}

interface Decoded {
  readonly events: readonly GenerationEvent[];
  readonly end: ProviderEnd | undefined;
}

function decode(decoder: AnswerDecoder, reads: readonly Buffer[]): Decoded {
  const events: GenerationEvent[] = [];
  for (const read of reads) {
    decoder.push(read);
    events.push(...decoder.takeEvents());
  }
  decoder.finish();
  events.push(...decoder.takeEvents());
  return { events, end: decoder.end };
}

function openDecoder(dialect: string, usesTemplate: boolean): AnswerDecoder {
  const answer = { attemptId: "attempt-1", httpStatus: 200 };
  if (dialect === "anthropic") return openMessageDecoder(answer);
  if (dialect === "ollama") return openLinesDecoder(answer);
  return openChatDecoder({ ...answer, provider: "any", usesTemplate });
}

function summarize({ events, end }: Decoded): string {
  return JSON.stringify([events, end]);
}

function checkEvent(event: GenerationEvent): void {
  if (event.kind === "usage") return;
  const text = event.kind === "tool_call_delta" ? event.argumentsDelta : event.text;
  if (event.kind !== "tool_call_delta" && text === "") throw new Error("an empty delta");
  if (!text.isWellFormed()) throw new Error("text that is not fit for UTF-8");
}

function nameEnd(end: ProviderEnd | undefined): string {
  if (end === undefined) throw new Error("it does not end");
  if (end.kind === "completed") return "completed";
  if (!FAILURE_CLASSES.includes(end.failure.class)) throw new Error("it ends in no known way");
  return end.failure.class;
}

function damage(bytes: Buffer, seeds: readonly Seed[], random: Random): Buffer {
  let damaged: Buffer = Buffer.from(bytes);
  const damageCount = Math.floor(random.next() * 5);
  for (let count = 0; count < damageCount; count++) damaged = damageOnce(damaged, seeds, random);
  return damaged;
}

function damageOnce(bytes: Buffer, seeds: readonly Seed[], random: Random): Buffer {
  const at = Math.floor(random.next() * (bytes.length + 1));
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const kind = random.next();
  if (kind < 0.2) return head;
  if (kind < 0.5) return Buffer.concat([head, pick(TOKENS, random), tail]);
  if (kind < 0.65) return Buffer.concat([head, tail.subarray(Math.floor(random.next() * 40))]);
  if (kind < 0.85) return Buffer.concat([head, Buffer.from([random.next() * 256]), tail.subarray(1)]);
  const other = pick(seeds, random).bytes;
  return Buffer.concat([head, other.subarray(Math.floor(random.next() * other.length))]);
}

function cutAnywhere(bytes: Buffer, random: Random): Buffer[] {
  const reads: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + Math.floor(random.next() ** 3 * bytes.length);
    reads.push(bytes.subarray(at, at + length));
    at += length;
  }
  return reads;
}

function readSeeds(): readonly Seed[] {
  const { vectors } = JSON.parse(readFileSync(FILE, "utf8")) as {
    vectors: readonly { readonly dialect: string; readonly chunks_b64: readonly string[] }[];
  };
  return vectors.map(({ dialect, chunks_b64 }) => ({
    dialect,
    bytes: Buffer.concat(chunks_b64.map((chunk) => Buffer.from(chunk, "base64"))),
  }));
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[Math.floor(random.next() * items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}
