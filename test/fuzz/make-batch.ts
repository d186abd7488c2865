import { gzipSync } from "node:zlib";
import { Chance } from "./chance.ts";
import { makeHttp1Batch } from "./http1-inputs.ts";
import { makeHttp2Batch } from "./http2-inputs.ts";

/** A kilobyte that inflates to a megabyte, which is more than the server takes. */
const GZIPPED = gzipSync(Buffer.alloc(1024 * 1024));

/** Streams of a connection; more would count as abuse and end it before they were read. */
const HTTP2_INPUT_COUNT = 64;
/** As many requests as the edge takes at once on one HTTP/1.1 connection. */
const HTTP1_INPUT_COUNT = 8;

/** What goes over one connection. One input is one request, or one frame or run of bytes that is none. */
export interface Batch {
  readonly kind: "http1" | "http2" | "mutated";
  readonly bytes: Buffer;
  readonly inputCount: number;
}

/** The batch of that number. The same seed and number make the same bytes. */
export function makeBatch(seed: number, batchNumber: number): Batch {
  const chance = new Chance(
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(batchNumber + 1, 0xc2b2ae35),
  );
  const isHttp2 = chance.happens(0.75);
  const inputCount = isHttp2 ? HTTP2_INPUT_COUNT : HTTP1_INPUT_COUNT;
  const bytes = isHttp2
    ? makeHttp2Batch(chance, inputCount, GZIPPED)
    : makeHttp1Batch(chance, inputCount, GZIPPED);
  // What comes behind the first broken byte is mostly not read as a request: it counts as one input.
  if (chance.happens(0.15)) return { kind: "mutated", bytes: chance.mutate(bytes), inputCount: 1 };
  return { kind: isHttp2 ? "http2" : "http1", bytes, inputCount };
}
