/**
 * How many deltas become events in a second of one core? Decodes the same stream of
 * small deltas, of which two in nine have escapes, with the shipped decoder, with the `openai` package's stream
 * reader, and with `eventsource-parser` and JSON.parse, in turn.
 */

import { Stream } from "openai/streaming";
import { openChatDecoder } from "../../src/providers/openai/open-chat-decoder.ts";
import { renderText } from "../side-by-side/table.ts";

const DELTA_COUNT = 200_000;
const QUICK_DELTA_COUNT = 20_000;
const ROUND_COUNT = 7;
/** As a socket hands them over under load. */
const READ_BYTES = 16 * 1024;
const GOAL_PER_SECOND = 1_000_000;
/** A string, not a literal: the package is there only after `npm ci --prefix bench`. */
const PARSER_PACKAGE: string = "eventsource-parser";

/** Decodes all reads and returns how many characters of text came out. */
type Reader = (reads: readonly Buffer[]) => number | Promise<number>;

interface ParserModule {
  createParser(callbacks: { onEvent(event: { readonly data: string }): void }): { feed(text: string): void };
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
}

const WORDS = ["Hello", " world", " the", "\\n", " \u4f60\u597d", ",", " it", " is", ' a \\"quote\\"'];

/** A stream as OpenAI sends it, cut into reads. */
function writeStream(deltaCount: number): readonly Buffer[] {
  const head =
    '{"id":"chatcmpl-9xYz","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini"';
  const choose = (delta: string, reason: string) =>
    `data: ${head},"system_fingerprint":"fp_1","choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${reason}}]}\n\n`;
  const lines = [choose('{"role":"assistant","content":""}', "null")];
  for (let index = 0; index < deltaCount; index++) {
    lines.push(choose(`{"content":"${WORDS[index % WORDS.length]}"}`, "null"));
  }
  lines.push(choose("{}", '"stop"'), "data: [DONE]\n\n");
  const bytes = Buffer.from(lines.join(""));
  return Array.from({ length: Math.ceil(bytes.length / READ_BYTES) }, (_, index) =>
    bytes.subarray(index * READ_BYTES, (index + 1) * READ_BYTES),
  );
}

function decodeWithSluice(reads: readonly Buffer[]): number {
  const answer = { attemptId: "attempt-1", httpStatus: 200, provider: "openai", usesTemplate: true } as const;
  const decoder = openChatDecoder(answer);
  let length = 0;
  for (const read of reads) {
    decoder.push(read);
    for (const event of decoder.takeEvents()) if (event.kind === "text_delta") length += event.text.length;
  }
  decoder.finish();
  if (decoder.end?.kind !== "completed") throw new Error("the answer was not understood");
  return length;
}

async function decodeWithOpenAi(reads: readonly Buffer[]): Promise<number> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const read of reads) controller.enqueue(read);
      controller.close();
    },
  });
  let length = 0;
  for await (const chunk of Stream.fromSSEResponse<Chunk>(new Response(body), new AbortController())) {
    length += chunk.choices?.[0]?.delta?.content?.length ?? 0;
  }
  return length;
}

function makeParserReader({ createParser }: ParserModule): Reader {
  return (reads) => {
    let length = 0;
    const text = new TextDecoder();
    const parser = createParser({
      onEvent({ data }) {
        if (data === "[DONE]") return;
        const chunk = JSON.parse(data) as Chunk;
        length += chunk.choices?.[0]?.delta?.content?.length ?? 0;
      },
    });
    for (const read of reads) parser.feed(text.decode(read, { stream: true }));
    return length;
  };
}

async function listReaders(): Promise<ReadonlyMap<string, Reader>> {
  const readers = new Map<string, Reader>([
    ["sluice", decodeWithSluice],
    ["openai", decodeWithOpenAi],
  ]);
  try {
    readers.set(
      "eventsource-parser + JSON.parse",
      makeParserReader((await import(PARSER_PACKAGE)) as ParserModule),
    );
  } catch {
    console.error("bench: eventsource-parser is not there; npm ci --prefix bench installs it");
  }
  return readers;
}

function findMedian(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** Takes `--quick` for a tenth of the deltas. Answers 1 when the goal was missed. */
export async function run(args: readonly string[]): Promise<number> {
  const unknown = args.find((word) => word !== "--quick");
  if (unknown !== undefined) {
    console.error(`bench: decode takes --quick and nothing else, not "${unknown}".`);
    return 2;
  }
  const deltaCount = args.includes("--quick") ? QUICK_DELTA_COUNT : DELTA_COUNT;
  const reads = writeStream(deltaCount);
  const wantedLength = decodeWithSluice(reads);
  const rates = new Map<string, number[]>();
  const readers = await listReaders();
  // The first round warms up; in turn, so that the machine's moods meet all alike.
  for (let round = 0; round <= ROUND_COUNT; round++) {
    for (const [name, read] of readers) {
      // Seconds of the processor, all threads: other work on the machine does not count.
      const began = process.cpuUsage();
      const length = await read(reads);
      const { user, system } = process.cpuUsage(began);
      const seconds = (user + system) / 1e6;
      if (length !== wantedLength) throw new Error(`${name} read ${length} characters, not ${wantedLength}`);
      if (round > 0) rates.set(name, [...(rates.get(name) ?? []), deltaCount / seconds]);
    }
  }
  const own = findMedian(rates.get("sluice") ?? []);
  const rows = [...rates].map(([name, all]) => {
    const median = findMedian(all);
    return [name, Math.round(median).toLocaleString("en-US"), `${(own / median).toFixed(1)}x`];
  });
  const title = `Small deltas to events per second of processor time, median of ${ROUND_COUNT} rounds (Node ${process.version})`;
  console.log(
    renderText({ title, head: ["reader", "deltas/s", "sluice is faster by"], rows, content: "numbers" }),
  );
  if (own >= GOAL_PER_SECOND) return 0;
  console.log(`The goal of ${GOAL_PER_SECOND.toLocaleString("en-US")} deltas a second was missed.`);
  return 1;
}
