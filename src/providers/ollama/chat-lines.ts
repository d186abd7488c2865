import type { GenerationEvent } from "../../domain/event.ts";
import type { ProviderEnd } from "../../domain/ports.ts";
import { isRecord } from "../../lib/is-record.ts";
import { classifyErrorValue } from "../failures/classify-failure.ts";
import type { AnswerStream } from "../http/answer-stream.ts";
import { readText } from "../http/read-text.ts";
import { SurrogateJoiner } from "../http/surrogate-joiner.ts";
import { ToolCallSlots } from "../http/tool-call-slots.ts";
import { InlineMarks } from "../openai/inline-marks.ts";
import { readFinishReason } from "./finish-reason.ts";
import { readUsage } from "./read-usage.ts";

/** How an answer is read. */
export interface ChatLinesOptions {
  readonly attemptId: string;
  readonly httpStatus: number;
}

const MAX_MODEL_NAME_LENGTH = 256;
const MAX_FINISH_REASON_LENGTH = 64;

type Members = Readonly<Record<string, unknown>>;

/** Turns the lines of one answer of Ollama's `/api/chat` into our events. A whole answer is one line. */
export class ChatLines implements AnswerStream {
  events: GenerationEvent[] = [];
  end: ProviderEnd | undefined;
  readonly #httpStatus: number;
  readonly #toolCalls: ToolCallSlots;
  readonly #text = new SurrogateJoiner();
  readonly #reasoning = new SurrogateJoiner();
  /** Servers that do not know how a model marks its thoughts leave them in the text. */
  readonly #marks = new InlineMarks("");
  #model = "";

  constructor({ attemptId, httpStatus }: ChatLinesOptions) {
    this.#httpStatus = httpStatus;
    this.#toolCalls = new ToolCallSlots(attemptId);
  }

  /** Reads one line; returns false once the answer is over. */
  readLine(json: string): boolean {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      value = undefined;
    }
    if (!isRecord(value)) this.interrupt();
    else if (value.error !== undefined && value.error !== null) {
      this.end ??= { kind: "failed", failure: classifyErrorValue(value, this.#httpStatus, "ollama") };
    } else this.#readMembers(value);
    return this.end === undefined;
  }

  readWhole(json: string): void {
    if (this.readLine(json)) this.endOfInput();
  }

  /** The last line says `done`: without it the answer was cut. */
  endOfInput(): void {
    this.interrupt();
  }

  interrupt(): void {
    this.end ??= {
      kind: "failed",
      failure: { class: "stream_interrupted", httpStatus: this.#httpStatus },
    };
  }

  #readMembers(line: Members): void {
    if (typeof line.model === "string" && line.model !== "") {
      this.#model = line.model.slice(0, MAX_MODEL_NAME_LENGTH).toWellFormed();
    }
    const message = isRecord(line.message) ? line.message : {};
    this.#push(this.#reasoning.join(readText(message.thinking)), this.#text.join(readText(message.content)));
    if (Array.isArray(message.tool_calls)) this.#readToolCalls(message.tool_calls.filter(isRecord));
    if (line.done === true) this.#complete(line);
  }

  /** Calls come whole and mostly without ids; each is given an index of its own. */
  #readToolCalls(calls: readonly Members[]): void {
    for (const call of calls) {
      const called = isRecord(call.function) ? call.function : {};
      const fragment = {
        index: this.#toolCalls.count,
        id: readText(call.id).toWellFormed(),
        name: readText(called.name).toWellFormed(),
        arguments:
          typeof called.arguments === "string"
            ? called.arguments.toWellFormed()
            : JSON.stringify(called.arguments ?? {}),
      };
      if (!this.#toolCalls.add(fragment, this.events)) this.interrupt();
    }
  }

  #push(reasoning: string, text: string): void {
    if (reasoning !== "") this.events.push({ kind: "reasoning_delta", text: reasoning });
    if (text !== "") this.#marks.add(text, this.events);
  }

  #complete(line: Members): void {
    this.#push(this.#reasoning.flush(), this.#text.flush());
    this.#marks.flush(this.events);
    const usage = readUsage(line);
    if (usage !== undefined) this.events.push({ kind: "usage", usage });
    if (this.end !== undefined || !this.#toolCalls.close(this.events)) {
      this.interrupt();
      return;
    }
    const word = readText(line.done_reason).slice(0, MAX_FINISH_REASON_LENGTH).toWellFormed();
    this.end = {
      kind: "completed",
      finishReason: readFinishReason(word, this.#toolCalls.count > 0),
      rawFinishReason: word,
      responseModel: this.#model,
    };
  }
}
