import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A model server of 127.0.0.1 whose path says whether it fails. */
export interface ModelServer {
  readonly baseUrl: string;
  /** When `/flaky-<number>` was answered last, by `performance.now()`. */
  lastFailureMs(number: number): number;
  close(): Promise<void>;
}

const ANSWER = [
  { id: "a", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: "hello" } }] },
  { id: "a", object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
]
  .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

/** Answers every request below `/sound`, and fails every other. */
export async function startModelServer(): Promise<ModelServer> {
  const failedAtMs = new Map<number, number>();
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const number = /^\/flaky-(\d+)\//.exec(request.url ?? "")?.[1];
      if (number === undefined) {
        response.writeHead(200, { "content-type": "text/event-stream" }).end(ANSWER);
      } else {
        response.writeHead(500, { "content-type": "application/json" }).end("{}");
        failedAtMs.set(Number(number), performance.now());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    lastFailureMs: (number) => failedAtMs.get(number) ?? Number.NaN,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
