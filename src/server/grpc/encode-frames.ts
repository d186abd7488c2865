import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";

const PREFIX_BYTES = 5;

/** Messages as they go over the wire: flags of 0, a big-endian length, the message (gRPC PROTOCOL-HTTP2). Throws on what cannot be encoded. */
export function encodeFrames(desc: DescMessage, messages: readonly Message[]): Buffer {
  const encoded = messages.map((message) => toBinary(desc, message));
  let bytes = PREFIX_BYTES * encoded.length;
  for (const message of encoded) bytes += message.byteLength;
  const frames = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const message of encoded) {
    frames[at] = 0;
    frames.writeUInt32BE(message.byteLength, at + 1);
    frames.set(message, at + PREFIX_BYTES);
    at += PREFIX_BYTES + message.byteLength;
  }
  return frames;
}
