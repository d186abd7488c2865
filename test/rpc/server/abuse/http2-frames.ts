/** HTTP/2 as bytes (RFC 9113), for clients that do what no library lets them. */

export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4 } as const;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The gRPC message without fields. */
export const EMPTY_MESSAGE = Buffer.alloc(5);

/** One frame. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** SETTINGS with pairs of identifier and value. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FRAME.settings, 0, 0, payload);
}

/** A number of four bytes, as RST_STREAM and WINDOW_UPDATE carry it. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Fields as HPACK literals without indexing or Huffman (RFC 7541 6.2.2). */
export function encodeFields(fields: Readonly<Record<string, string>>): Buffer {
  const pieces: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    pieces.push(Buffer.from([0]), encodeText(name), encodeText(value));
  }
  return Buffer.concat(pieces);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  while (rest >= 128) {
    length.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  length.push(rest);
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** The headers of a gRPC call. */
export function callFields(path: string, more: Readonly<Record<string, string>> = {}): Buffer {
  return encodeFields({
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    ...more,
  });
}

/** A whole gRPC call with an empty message. */
export function call(streamId: number, path: string): Buffer {
  return Buffer.concat([
    frame(FRAME.headers, FLAG.endHeaders, streamId, callFields(path)),
    frame(FRAME.data, FLAG.endStream, streamId, EMPTY_MESSAGE),
  ]);
}

/** A frame that came in. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The whole frames at the start of `bytes`, and what is left. */
export function parseFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let start = 0;
  while (bytes.length - start >= 9) {
    const end = start + 9 + bytes.readUIntBE(start, 3);
    if (bytes.length < end) break;
    frames.push({
      type: bytes.readUInt8(start + 3),
      flags: bytes.readUInt8(start + 4),
      streamId: bytes.readUInt32BE(start + 5) & 0x7fffffff,
      payload: bytes.subarray(start + 9, end),
    });
    start = end;
  }
  return { frames, rest: bytes.subarray(start) };
}
