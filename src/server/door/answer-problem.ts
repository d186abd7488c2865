import type { Wire } from "../edge/wire.ts";

/**
 * Answers with an error that the edge itself found, before or instead of a handler:
 * JSON in the shape that OpenAI's clients read, whose message also people can read.
 */
export function answerProblem(wire: Wire, status: number, code: string, message: string): void {
  if (wire.closed) return;
  const body = JSON.stringify({ error: { message, type: "sluice_error", param: null, code } });
  wire.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  });
  if (wire.request.method !== "HEAD") wire.write(body);
  wire.end();
}
