import type { Wire } from "../edge/wire.ts";

/** An error in the shape that OpenAI's clients read, whose message also people can read. JSON. */
export function formatProblem(code: string, message: string): string {
  return JSON.stringify({ error: { message, type: "sluice_error", param: null, code } });
}

/** Answers with an error that the edge itself found, before or instead of a handler. */
export function answerProblem(wire: Wire, status: number, code: string, message: string): void {
  if (wire.closed) return;
  const body = formatProblem(code, message);
  wire.writeHead(status, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  });
  if (wire.request.method !== "HEAD") wire.write(body);
  wire.end();
}
