/**
 * Re-encodes the `grpc-message` that Connect wrote. Connect encodes `/ : ;` and
 * other printable characters too, which the protocol leaves as they are (gRPC
 * PROTOCOL-HTTP2, Percent-Encoded): clients that undo only what the protocol demands
 * would show `a%2Fb`.
 */
export function repairGrpcMessage(encoded: string): string {
  return encodeGrpcMessage(decodeURIComponent(encoded));
}

/**
 * Percent-encodes all but the printable ASCII characters other than `%`; and spaces
 * at the ends, which no header value may have (RFC 9113 8.2.1).
 */
export function encodeGrpcMessage(message: string): string {
  return message
    .toWellFormed()
    .replace(/[^\x20-\x24\x26-\x7e]+|^ +| +$/g, (text) =>
      Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(
        "",
      ),
    );
}
