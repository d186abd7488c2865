import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { formatProblem } from "../door/answer-problem.ts";

/** What Node's parser says of bytes that are no request, by its codes; everything else is malformed. */
const PROBLEMS: ReadonlyMap<string, { readonly status: number; readonly message: string }> = new Map([
  ["HPE_HEADER_OVERFLOW", { status: 431, message: "the headers have more bytes than the server takes" }],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", { status: 413, message: "the body's chunk extensions are too large" }],
  ["ERR_HTTP_REQUEST_TIMEOUT", { status: 408, message: "the request did not come in time" }],
]);
const MALFORMED = { status: 400, message: "the request is not valid HTTP/1.1" };

/**
 * Answers bytes that never became a request, and closes the connection: nothing after them can be
 * trusted (RFC 9112 2.2). `isAnswering` says that an answer is on its way: then nothing may come between.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, isAnswering: boolean): void {
  if (isAnswering || !socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { status, message } = PROBLEMS.get(error.code ?? "") ?? MALFORMED;
  const body = formatProblem("INVALID_REQUEST", message);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  socket.destroySoon();
}
