import type { GenerationEvent } from "../../../src/domain/event.ts";
import type { ProviderEnd } from "../../../src/domain/ports.ts";
import type { AnswerDecoder } from "../../../src/providers/http/answer-decoder.ts";
import { openChatDecoder } from "../../../src/providers/openai/open-chat-decoder.ts";

/** What a decoder made of a body. */
export interface DecodedAnswer {
  readonly events: readonly GenerationEvent[];
  readonly end: ProviderEnd | undefined;
}

/** Decodes a body that comes in these reads and then ends. */
export function decodeReads(
  reads: readonly (Buffer | string)[],
  usesTemplate = true,
  upstreamModel = "m",
): DecodedAnswer {
  return feedDecoder(
    openChatDecoder({
      attemptId: "attempt-1",
      upstreamModel,
      httpStatus: 200,
      provider: "any",
      usesTemplate,
    }),
    reads,
  );
}

/** Gives a decoder a body that comes in these reads and then ends. */
export function feedDecoder(decoder: AnswerDecoder, reads: readonly (Buffer | string)[]): DecodedAnswer {
  const events: GenerationEvent[] = [];
  for (const read of reads) {
    decoder.push(Buffer.from(read));
    events.push(...decoder.takeEvents());
  }
  decoder.finish();
  events.push(...decoder.takeEvents());
  return { events, end: decoder.end };
}

/** Cuts bytes at the given places, in any order. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places].sort((one, other) => one - other);
  const starts = [0, ...sorted];
  return starts.map((start, index) => bytes.subarray(start, sorted[index]));
}

/** The events of one kind of delta, joined. */
export function joinText(events: readonly GenerationEvent[], kind: "text_delta" | "reasoning_delta"): string {
  return events.map((event) => (event.kind === kind ? event.text : "")).join("");
}

/** One chunk as an event. */
export function sse(chunk: unknown): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** One chunk with a delta as an event. */
export function sseDelta(delta: unknown, rest: Readonly<Record<string, unknown>> = {}): string {
  return sse({ id: "c1", model: "m", choices: [{ index: 0, delta, finish_reason: null, ...rest }] });
}
