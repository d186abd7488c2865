import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { FinishReason, GenerationEvent } from "../domain/event.ts";
import type { Clock, ProviderEnd, ProviderSink } from "../domain/ports.ts";
import { type Script, SimulatedAttempt } from "../providers/simulator/simulated-attempt.ts";
import type { BookEntry, Books } from "./books.ts";
import type { Fate } from "./choose-fate.ts";
import type { AnswerHead, Ask, Dialect, StreamWriter } from "./dialect.ts";
import type { PlannedChat } from "./plan-chat.ts";
import type { SimulatedPrice } from "./simulation-settings.ts";

/** What an answer is made of. */
export interface ChatAnswerParts {
  readonly dialect: Dialect;
  readonly ask: Ask;
  readonly fate: Fate;
  readonly chat: PlannedChat;
  readonly id: string;
  readonly headers: OutgoingHttpHeaders;
  readonly response: ServerResponse;
  readonly entry: BookEntry;
  readonly books: Books;
  readonly price: SimulatedPrice;
  readonly clock: Clock;
  readonly arrivedMs: number;
}

const OK_STATUS = 200;
const TOKENS_PER_PRICE = 1e6;

/**
 * Plays one answer onto its response at the pace of its fate, and books it. A client
 * that reads slowly slows it down; one that leaves ends it.
 */
export function playAnswer(parts: ChatAnswerParts): void {
  new ChatAnswer(parts).begin();
}

class ChatAnswer implements ProviderSink {
  readonly #parts: ChatAnswerParts;
  readonly #head: AnswerHead;
  readonly #writer: StreamWriter | undefined;
  readonly #told: GenerationEvent[] = [];
  readonly #attempt: SimulatedAttempt;

  constructor(parts: ChatAnswerParts) {
    const { dialect, ask, chat, clock, fate } = parts;
    this.#parts = parts;
    this.#head = {
      id: parts.id,
      model: ask.model,
      createdSeconds: Math.floor(clock.wallMs() / 1_000),
      inputTokens: chat.inputTokens,
      includesUsage: ask.includesUsage,
    };
    this.#writer = ask.isStream ? dialect.stream(this.#head) : undefined;
    this.#attempt = new SimulatedAttempt(clock, fate, writeScript(parts), this, () => {});
  }

  /** From here on the response's own events move it. */
  begin(): void {
    const { response } = this.#parts;
    response.on("drain", () => this.#attempt.resume());
    response.on("close", () => this.#onClose());
    if (response.destroyed) this.#onClose();
  }

  onActivity(): void {}

  onEvents(batch: readonly GenerationEvent[]): void {
    const { response } = this.#parts;
    const tokens = batch.filter(({ kind }) => kind !== "usage");
    if (tokens.length === 0) return;
    const opening = this.#told.length === 0 ? this.#begin() : "";
    this.#told.push(...tokens);
    this.#countOutput();
    const text = opening + (this.#writer?.write(tokens) ?? "");
    // An empty write would be taken for room again that never comes.
    if (text !== "" && !response.write(text)) this.#attempt.pause();
  }

  onEnd(end: ProviderEnd): void {
    if (end.kind === "failed") this.#breakOff();
    else this.#finish(end.finishReason);
  }

  /** Sends and books what comes before the first token; gives what opens a stream. */
  #begin(): string {
    const { entry, response, ask, dialect, headers } = this.#parts;
    entry.timeToFirstTokenMs = this.#elapsedMs();
    entry.inputTokens = this.#head.inputTokens;
    this.#countOutput();
    if (!ask.isStream) return "";
    entry.status = OK_STATUS;
    response.writeHead(OK_STATUS, { ...headers, "content-type": dialect.streamContentType });
    return this.#writer?.begin() ?? "";
  }

  #finish(finishReason: FinishReason): void {
    const { response, dialect, entry, headers } = this.#parts;
    // An answer may be empty: a stop sequence can cut it before its first token.
    const opening = this.#told.length === 0 ? this.#begin() : "";
    const { outputTokens, costNanoUsd } = entry;
    const end = { finishReason, outputTokens, costNanoUsd, totalMs: this.#elapsedMs() };
    if (this.#writer !== undefined) {
      response.end(opening + this.#writer.end(end));
      return;
    }
    const body = JSON.stringify(dialect.writeWhole(this.#head, this.#told, end));
    entry.status = OK_STATUS;
    response.writeHead(OK_STATUS, { ...headers, "content-type": "application/json" });
    response.end(body);
  }

  /** The connection ends without the answer's end, after what was written so far has left. */
  #breakOff(): void {
    const { response, entry, headers } = this.#parts;
    const opening = this.#told.length === 0 ? this.#begin() : "";
    if (this.#writer === undefined) {
      entry.status = OK_STATUS;
      response.writeHead(OK_STATUS, { ...headers, "content-type": "application/json" });
      response.write('{"id":"');
    } else if (opening === "") response.flushHeaders();
    else response.write(opening);
    this.#close("cut");
    response.socket?.destroySoon();
  }

  /** Comes after every end: the answer's own, a cut, and the client's leaving. */
  #onClose(): void {
    this.#attempt.abort();
    if (this.#parts.response.writableFinished) return this.#close("whole");
    this.#close(this.#parts.fate.fault === "hang" ? "hang" : "cancelled");
  }

  #countOutput(): void {
    const { entry, price } = this.#parts;
    entry.outputTokens = this.#told.length;
    const nano = entry.inputTokens * price.inputNanoUsd + entry.outputTokens * price.outputNanoUsd;
    entry.costNanoUsd = Math.round(nano / TOKENS_PER_PRICE);
  }

  #close(outcome: "whole" | "cut" | "hang" | "cancelled"): void {
    this.#parts.books.close(this.#parts.entry, outcome, this.#elapsedMs());
  }

  #elapsedMs(): number {
    return this.#parts.clock.nowMs() - this.#parts.arrivedMs;
  }
}

function writeScript({ fate, chat }: ChatAnswerParts): Script {
  const { answer } = chat;
  if (fate.fault === "hang") return { kind: "hang" };
  if (fate.fault === "cut") return { kind: "cut", answer, failure: { class: "stream_interrupted" } };
  return { kind: "answer", answer, usage: {}, responseModel: "" };
}
