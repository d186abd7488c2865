import type { Message } from "@bufbuild/protobuf";
import type { EncodeMessage } from "../../service/call.ts";

const PREFIX_BYTES = 5;

/** Messages as they go over the wire: flags of 0, a big-endian length, the message (gRPC PROTOCOL-HTTP2). Throws on what cannot be encoded. */
export function encodeFrames(encode: EncodeMessage, messages: readonly Message[]): Buffer {
  const encoded: Uint8Array[] = [];
  let bytes = PREFIX_BYTES * messages.length;
  for (const message of messages) {
    const each = encode(message);
    bytes += each.byteLength;
    encoded.push(each);
  }
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
