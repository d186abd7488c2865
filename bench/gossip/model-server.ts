import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A model server of 127.0.0.1 whose path says whether it fails. */
export interface ModelServer {
  readonly baseUrl: string;
  /** When `/flaky-<number>` was answered last with a failure, by `performance.now()`. */
  lastFailureMs(number: number): number;
  /** From now on `/flaky-<number>` answers as `/sound` does, or fails again. */
  setSound(number: number, isSound: boolean): void;
  /** How many calls `/flaky-<number>` has failed. */
  countFailures(number: number): number;
  /** How many calls `/flaky-<number>` has answered. */
  countAnswers(number: number): number;
  close(): Promise<void>;
}

const ANSWER = [
  { id: "a", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: "hello" } }] },
  { id: "a", object: "chat.completion.chunk", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
]
  .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

/** Answers every request below `/sound`, after `answerMs`, and fails every other at once unless told otherwise. */
export async function startModelServer(answerMs = 0): Promise<ModelServer> {
  const failuresMs = new Map<number, number[]>();
  const answerCounts = new Map<number, number>();
  const sound = new Set<number>();
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const found = /^\/flaky-(\d+)\//.exec(request.url ?? "")?.[1];
      const number = found === undefined ? undefined : Number(found);
      // Replicas ask for the list of models when they start; that says nothing about attempts.
      if (request.method !== "POST") {
        response.writeHead(404).end();
      } else if (number === undefined || sound.has(number)) {
        if (number !== undefined) answerCounts.set(number, (answerCounts.get(number) ?? 0) + 1);
        const answer = () => response.writeHead(200, { "content-type": "text/event-stream" }).end(ANSWER);
        if (answerMs > 0) setTimeout(answer, answerMs);
        else answer();
      } else {
        response.writeHead(500, { "content-type": "application/json" }).end("{}");
        const failures = failuresMs.get(number) ?? [];
        failures.push(performance.now());
        failuresMs.set(number, failures);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    lastFailureMs: (number) => failuresMs.get(number)?.at(-1) ?? Number.NaN,
    setSound(number, isSound) {
      if (isSound) sound.add(number);
      else sound.delete(number);
    },
    countFailures: (number) => failuresMs.get(number)?.length ?? 0,
    countAnswers: (number) => answerCounts.get(number) ?? 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
