import { connect } from "node:net";
import { endsBatch } from "./http2-inputs.ts";
import type { Batch } from "./make-batch.ts";

/**
 * Sends one batch over a connection of its own, waits until the server has taken it in,
 * half-closes, and waits for the server to close. Resolves with false when it does not in time.
 */
export function sendBatch(port: number, batch: Batch, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let received = Buffer.alloc(0);
    let isInTime = true;
    const timer = setTimeout(() => {
      isInTime = false;
      socket.destroy();
    }, timeoutMs);
    // Being reset is one of the answers.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      if (batch.kind !== "http2" || socket.writableEnded) return;
      received = Buffer.concat([received.subarray(-16), chunk]);
      if (endsBatch(received)) socket.end();
    });
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(isInTime);
    });
    if (batch.kind === "http2") socket.write(batch.bytes);
    else socket.end(batch.bytes);
  });
}
