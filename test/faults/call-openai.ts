/** A caller of the OpenAI door on node:http, which counts the ends it is told. */

import http from "node:http";
import { CANARIES } from "../support/canaries.ts";
import type { CallReport } from "./call-report.ts";

/** What to ask for. */
export interface OpenAiCall {
  readonly streams: boolean;
  readonly model: string;
}

/** Makes one call; resolves at its end, however it ends. */
export function callOpenAi(port: number, agent: http.Agent, call: OpenAiCall): Promise<CallReport> {
  const startedMs = performance.now();
  const body = JSON.stringify({
    model: call.model,
    stream: call.streams,
    messages: [{ role: "user", content: CANARIES.prompt }],
  });
  return new Promise((resolve) => {
    const request = http.request({
      agent,
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/v1/chat/completions",
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    });
    request.on("error", (error) =>
      resolve(brokenReport(`the call broke: ${error.message}`, performance.now() - startedMs)),
    );
    request.on("response", (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      // A stream that failed is broken off on purpose.
      response.on("error", () => {});
      response.on("close", () => {
        const text = Buffer.concat(pieces).toString("utf8");
        const answer = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          isWhole: response.complete,
        };
        resolve(readReport(call, answer, performance.now() - startedMs));
      });
    });
    request.end(body);
  });
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly isWhole: boolean;
}

interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string };
    readonly message?: { readonly content?: string };
    readonly finish_reason?: string | null;
  }[];
}

function readReport({ streams }: OpenAiCall, answer: Answer, durationMs: number): CallReport {
  const problems: string[] = [];
  const isStream = streams && answer.status === 200;
  const heard = isStream ? readStream(answer, problems) : readWhole(answer, problems);
  const reason = answer.headers["x-sluice-reason"];
  return {
    ...heard,
    code: heard.isOk ? "OK" : "",
    reason: typeof reason === "string" ? reason : undefined,
    httpStatus: answer.status,
    attempts: undefined,
    problems,
    durationMs,
    given: JSON.stringify(answer.headers) + answer.text,
  };
}

function readWhole(answer: Answer, problems: string[]) {
  if (!answer.isWhole) problems.push("the answer is cut");
  const chunk = parse(answer.text, problems);
  const isOk = answer.status === 200;
  if (isOk === (chunk.error !== undefined))
    problems.push(`status ${answer.status} with another kind of body`);
  return { endCount: 1, isOk, text: chunk.choices?.[0]?.message?.content ?? "" };
}

function readStream(answer: Answer, problems: string[]) {
  let text = "";
  let doneCount = 0;
  let finishCount = 0;
  let errorCount = 0;
  for (const event of answer.text.split("\n\n")) {
    if (event === "") continue;
    if (doneCount + errorCount > 0) problems.push("an event after the end");
    const data = event.replace(/^data: /, "");
    if (data === "[DONE]") {
      doneCount += 1;
      continue;
    }
    const chunk = parse(data, problems);
    if (chunk.error !== undefined) errorCount += 1;
    text += chunk.choices?.[0]?.delta?.content ?? "";
    if (typeof chunk.choices?.[0]?.finish_reason === "string") finishCount += 1;
  }
  if (finishCount !== doneCount) problems.push(`${finishCount} finish reasons, ${doneCount} times [DONE]`);
  if (answer.isWhole !== (doneCount === 1)) problems.push("a broken stream that looks whole, or the reverse");
  return { endCount: doneCount + errorCount, isOk: doneCount === 1, text };
}

function parse(text: string, problems: string[]): Chunk {
  try {
    return JSON.parse(text) as Chunk;
  } catch {
    problems.push("the door sent no JSON");
    return {};
  }
}

function brokenReport(problem: string, durationMs: number): CallReport {
  return {
    endCount: 0,
    code: "",
    reason: undefined,
    httpStatus: undefined,
    attempts: undefined,
    text: "",
    problems: [problem],
    durationMs,
    given: problem,
  };
}
