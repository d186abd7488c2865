import {
  callFields,
  encodeFields,
  FLAG,
  FRAME,
  frame,
  PREFACE,
  settings,
  uint32,
} from "../rpc/server/abuse/http2-frames.ts";
import type { Chance } from "./chance.ts";
import { drawBody, drawHeaders, drawValue } from "./hostile-values.ts";

/** The answer to it proves that the server has taken in everything before it. */
const LAST_PING = Buffer.from("fuzz-end");

/** The bytes of a connection with one hostile request per stream, and perhaps a last frame that ends it. */
export function makeHttp2Batch(chance: Chance, inputCount: number, gzipped: Buffer): Buffer {
  const pieces = [PREFACE, drawSettings(chance), frame(FRAME.settings, FLAG.ack, 0)];
  for (let index = 0; index < inputCount - 1; index++)
    pieces.push(makeRequest(chance, 2 * index + 1, gzipped));
  pieces.push(
    chance.happens(0.5) ? makeFrame(chance) : makeRequest(chance, 2 * inputCount - 1, gzipped),
    frame(FRAME.ping, 0, 0, LAST_PING),
  );
  return Buffer.concat(pieces);
}

/** Whether the server has answered the last PING of a batch. */
export function endsBatch(received: Buffer): boolean {
  return received.includes(LAST_PING);
}

function drawSettings(chance: Chance): Buffer {
  return chance.happens(0.5)
    ? settings()
    : settings([0x4, chance.pick([0, 1, 65_535, 2 ** 31 - 1])], [0x1, 0]);
}

function makeRequest(chance: Chance, streamId: number, gzipped: Buffer): Buffer {
  const block = Buffer.concat([
    chance.happens(0.3)
      ? encodeFields({
          ":method": drawValue(chance, "method"),
          ":scheme": chance.pick(["http", "https", "", "file"]),
          ":path": drawValue(chance, "path"),
          ":authority": drawValue(chance, "authority"),
          "content-type": drawValue(chance, "contentType"),
        })
      : callFields(drawValue(chance, "path"), { "content-type": drawValue(chance, "contentType") }),
    ...drawHeaders(chance).map(([name, value]) => encodeFields({ [name]: value })),
  ]);
  const pieces = splitHeaders(chance, streamId, block);
  const body = drawBody(chance, gzipped);
  const middle = chance.below(body.length + 1);
  if (chance.happens(0.3)) pieces.push(frame(FRAME.data, 0, streamId, body.subarray(0, middle)));
  const rest = body.subarray(middle);
  const trailers = encodeFields({ "x-trailer": drawValue(chance, "requestId") });
  pieces.push(
    chance.pick([
      ...Array<Buffer>(7).fill(frame(FRAME.data, FLAG.endStream, streamId, rest)),
      frame(FRAME.data, 0, streamId, rest),
      frame(FRAME.rstStream, 0, streamId, uint32(chance.below(16))),
      frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId, trailers),
    ]),
  );
  return Buffer.concat(pieces);
}

function splitHeaders(chance: Chance, streamId: number, block: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  const firstEnd =
    block.length > 16_000 || chance.happens(0.1)
      ? Math.min(16_000, chance.below(block.length))
      : block.length;
  const isWhole = firstEnd === block.length;
  pieces.push(frame(FRAME.headers, isWhole ? FLAG.endHeaders : 0, streamId, block.subarray(0, firstEnd)));
  for (let start = firstEnd; start < block.length; start += 16_000) {
    const end = Math.min(start + 16_000, block.length);
    pieces.push(
      frame(
        FRAME.continuation,
        end === block.length ? FLAG.endHeaders : 0,
        streamId,
        block.subarray(start, end),
      ),
    );
  }
  return pieces;
}

/** A frame of any type, flags, stream and content; most end their connection. */
function makeFrame(chance: Chance): Buffer {
  const streamId = chance.pick([0, 1, 2, 3, 101, 2 ** 31 - 1]);
  const payload = chance.pick([
    chance.bytes(64),
    uint32(0),
    uint32(2 ** 31 - 1),
    encodeFields({ ":path": "/" }),
    Buffer.alloc(16_384),
    Buffer.alloc(16_385),
  ]);
  return frame(chance.below(chance.happens(0.8) ? 10 : 256), chance.below(256), streamId, payload);
}
