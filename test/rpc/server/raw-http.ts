import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:net";

/** Sends bytes as they are and returns everything that comes back until the server closes. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
    socket.write(bytes);
  });
}

/** An answer over HTTP/2. `status` is undefined when the stream was reset first. */
export interface Http2Answer {
  readonly status: number | undefined;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  readonly resetCode: number;
}

/** Sends one request over a connection of its own, headers as they are. */
export async function sendHttp2(
  port: number,
  headers: OutgoingHttpHeaders,
  body?: Buffer,
): Promise<Http2Answer> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  const stream = session.request(headers, { endStream: false });
  stream.on("error", () => {});
  let received: OutgoingHttpHeaders = {};
  let text = "";
  stream.once("response", (answer) => {
    received = answer;
  });
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  stream.end(body);
  await new Promise((resolve) => stream.once("close", resolve));
  session.close();
  const status = received[":status"];
  return {
    status: typeof status === "number" ? status : undefined,
    headers: received,
    body: text,
    resetCode: stream.rstCode ?? 0,
  };
}
