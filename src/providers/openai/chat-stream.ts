import type { GenerationEvent } from "../../domain/event.ts";
import type { FailureClass, ProviderFailure } from "../../domain/outcome.ts";
import type { ProviderEnd } from "../../domain/ports.ts";
import type { Usage } from "../../domain/usage.ts";
import { classifyErrorValue } from "../failures/classify-failure.ts";
import type { RuleProvider } from "../failures/error-rules.ts";
import type { AnswerStream } from "../http/answer-stream.ts";
import type { SseConsumer } from "../http/sse-reader.ts";
import { SurrogateJoiner } from "../http/surrogate-joiner.ts";
import { ToolCallSlots } from "../http/tool-call-slots.ts";
import { isSameUsage } from "../http/usage-figures.ts";
import { type ChatChunk, readChatChunk } from "./chat-chunk.ts";
import { DeltaTemplate } from "./delta-template.ts";
import { readFinishFailure, readFinishReason } from "./finish-reason.ts";
import { InlineMarks } from "./inline-marks.ts";

/** How a stream is read. */
export interface ChatStreamOptions {
  readonly attemptId: string;
  /** Which model was asked: some put marks of their own into the text. */
  readonly upstreamModel?: string;
  readonly httpStatus: number;
  /** Whose error rules hold. */
  readonly provider: RuleProvider;
  /** Whether deltas of a known shape are taken without JSON.parse. False only in tests, to compare. */
  readonly usesTemplate: boolean;
}

/**
 * Turns the events of one chat completion into ours. `events` collects what was
 * understood and may be emptied at any time; `end` is set once the answer is over,
 * well or not, and nothing is added after it.
 */
export class ChatStream implements AnswerStream, SseConsumer {
  events: GenerationEvent[] = [];
  end: ProviderEnd | undefined;
  readonly #options: ChatStreamOptions;
  readonly #template = new DeltaTemplate();
  readonly #toolCalls: ToolCallSlots;
  readonly #text = new SurrogateJoiner();
  readonly #reasoning = new SurrogateJoiner();
  readonly #marks: InlineMarks;
  #model = "";
  #finishWord = "";
  #usage: Usage | undefined;
  #hasChoice = false;
  #hasDeltas = false;

  get isConcluded(): boolean {
    return this.#finishWord !== "";
  }

  constructor(options: ChatStreamOptions) {
    this.#options = options;
    this.#toolCalls = new ToolCallSlots(options.attemptId);
    this.#marks = new InlineMarks(options.upstreamModel ?? "");
  }

  takeEvent(bytes: Buffer, text: string, start: number): number {
    if (!this.#options.usesTemplate || this.#text.isHolding || this.#reasoning.isHolding) return -1;
    const next = this.#template.match(bytes, text, start);
    if (next === -1 || this.#template.text === "") return next;
    const { kind, text: told } = this.#template;
    if (kind === "reasoning_delta" || this.#marks.isPlain(told)) this.events.push({ kind, text: told });
    else this.#marks.add(told, this.events);
    return next;
  }

  onEvent(name: string, data: string, raw: string): boolean {
    const trimmed = data.trim();
    if (trimmed === "[DONE]") this.complete();
    else if (trimmed !== "") this.#readEvent(name, trimmed, raw);
    return this.end === undefined;
  }

  /** Takes a whole answer in one JSON text, from a server that does not stream. */
  readWhole(json: string): void {
    this.#readEvent("", json, "");
    if (this.#hasChoice) this.complete();
    else this.interrupt();
  }

  /**
   * Ends the answer where the server stopped sending without a closing mark. After a
   * finish reason that is a clean end; without one the answer was cut, never `stop`.
   */
  endOfInput(): void {
    if (this.#finishWord === "") this.interrupt();
    else this.complete();
  }

  /** Ends the answer as broken: cut, unreadable or too large. */
  interrupt(): void {
    this.#fail("stream_interrupted");
  }

  /** Ends the answer as whole, if anything was answered at all. */
  complete(): void {
    if (this.end !== undefined) return;
    this.#addText(this.#reasoning.flush(), this.#text.flush());
    this.#marks.flush(this.events);
    if (!this.#hasChoice || !this.#toolCalls.close(this.events)) {
      this.interrupt();
      return;
    }
    this.end = {
      kind: "completed",
      finishReason: readFinishReason(this.#finishWord, this.#answerSoFar()),
      rawFinishReason: this.#finishWord,
      responseModel: this.#model,
    };
  }

  #readEvent(name: string, json: string, raw: string): void {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      value = undefined;
    }
    if (name === "error") {
      this.end ??= { kind: "failed", failure: this.#classify(value ?? json) };
      return;
    }
    // Google wraps errors in a list of one.
    const chunk = readChatChunk(Array.isArray(value) ? value[0] : value);
    if (chunk) this.#readChunk(chunk, raw);
    // A torn last event after the finish reason takes nothing from the answer.
    else if (this.#finishWord === "") this.interrupt();
  }

  #readChunk(chunk: ChatChunk, raw: string): void {
    if (this.end !== undefined) return;
    // The first name counts: events that fit a learned one are not asked for theirs.
    if (this.#model === "") this.#model = chunk.model;
    if (chunk.hasChoice) this.#hasChoice = true;
    this.#addDeltas(chunk);
    this.#addUsage(chunk.usage);
    if (chunk.error !== undefined) {
      this.end ??= { kind: "failed", failure: this.#classify(chunk.error) };
      return;
    }
    if (chunk.finishReason !== "") {
      this.#finishWord = chunk.finishReason;
      const failure = readFinishFailure(chunk.finishReason, this.#answerSoFar());
      if (failure) this.#fail(failure, chunk.finishReason);
    }
    if (this.#options.usesTemplate) this.#template.learn(raw, chunk);
  }

  #addDeltas(chunk: ChatChunk): void {
    this.#addText(this.#reasoning.join(chunk.reasoning), this.#text.join(chunk.text));
    for (const fragment of chunk.toolCalls) {
      if (!this.#toolCalls.add(fragment, this.events)) this.interrupt();
    }
    if (chunk.reasoning !== "" || chunk.text !== "" || this.#toolCalls.count > 0) this.#hasDeltas = true;
  }

  #addText(reasoning: string, text: string): void {
    if (reasoning !== "") this.events.push({ kind: "reasoning_delta", text: reasoning });
    if (text !== "") this.#marks.add(text, this.events);
  }

  #addUsage(usage: Usage | undefined): void {
    if (usage === undefined || isSameUsage(usage, this.#usage)) return;
    this.#usage = usage;
    this.events.push({ kind: "usage", usage });
  }

  #classify(error: unknown): ProviderFailure {
    return classifyErrorValue(error, this.#options.httpStatus, this.#options.provider);
  }

  /** `providerCode` is one of the words of finish-reason.ts, so it is fit for a failure. */
  #fail(failureClass: FailureClass, providerCode?: string): void {
    const { httpStatus } = this.#options;
    this.end ??= {
      kind: "failed",
      failure: { class: failureClass, httpStatus, ...(providerCode !== undefined && { providerCode }) },
    };
  }

  #answerSoFar() {
    return { hasDeltas: this.#hasDeltas, hasToolCalls: this.#toolCalls.count > 0 };
  }
}
