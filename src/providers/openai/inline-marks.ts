import type { GenerationEvent } from "../../domain/event.ts";

const THINK_START = "<think>";
const THINK_END = "</think>";
/** GLM's vision models put these around what they hold for the answer proper (docs.bigmodel.cn, GLM-4.5V). */
const BOXES = ["<|begin_of_box|>", "<|end_of_box|>"] as const;
const BOX = /<\|(?:begin|end)_of_box\|>/g;
const BOXING_MODEL = /glm-4(?:\.\d+)?v/i;
/** Blanks before `<think>` that are waited through; after more of them the answer has begun. */
const MAX_LEADING_BLANKS = 64;

/**
 * Takes a model's marks out of the text of its answer. `<think>…</think>` at the very
 * beginning is the reasoning of models whose server does not tell it apart; anywhere
 * else it is text, for a model may write about it. GLM's box marks mean nothing to a
 * reader and are dropped, with GLM's vision models only. A mark may come in any number
 * of pieces: what may yet become one is held back.
 */
export class InlineMarks {
  readonly #hasBoxes: boolean;
  #place: "start" | "reasoning" | "answer" = "start";
  #held = "";

  constructor(upstreamModel: string) {
    this.#hasBoxes = BOXING_MODEL.test(upstreamModel);
  }

  /** Whether this text is an answer's as it is. */
  isPlain(text: string): boolean {
    return this.#place === "answer" && this.#held === "" && (!this.#hasBoxes || !text.includes("<"));
  }

  /** Adds the events of the next piece of text. */
  add(piece: string, events: GenerationEvent[]): void {
    let text = this.#held + piece;
    this.#held = "";
    if (this.#place === "start") text = this.#begin(text);
    if (this.#place === "reasoning") text = this.#reason(text, events);
    if (this.#place === "answer") this.#answer(text, events);
  }

  /** Adds what was held back and never became a mark. */
  flush(events: GenerationEvent[]): void {
    tell(this.#place === "reasoning" ? "reasoning_delta" : "text_delta", this.#held, events);
    this.#held = "";
  }

  /** Finds out how the answer begins; returns what is left to be read. */
  #begin(text: string): string {
    const begun = text.trimStart();
    const isLate = text.length - begun.length > MAX_LEADING_BLANKS;
    if (!isLate && THINK_START.startsWith(begun) && begun !== THINK_START) {
      this.#held = text;
      return "";
    }
    const thinks = !isLate && begun.startsWith(THINK_START);
    this.#place = thinks ? "reasoning" : "answer";
    return thinks ? begun.slice(THINK_START.length) : text;
  }

  /** Tells reasoning up to its end; returns what comes after it. */
  #reason(text: string, events: GenerationEvent[]): string {
    const end = text.indexOf(THINK_END);
    if (end === -1) {
      tell("reasoning_delta", this.#holdBack(text, [THINK_END]), events);
      return "";
    }
    this.#place = "answer";
    tell("reasoning_delta", text.slice(0, end), events);
    return text.slice(end + THINK_END.length);
  }

  #answer(text: string, events: GenerationEvent[]): void {
    // What is held back is looked for before marks go: neighbours of a dropped mark make no new one.
    const told = this.#hasBoxes ? this.#holdBack(text, BOXES).replace(BOX, "") : text;
    tell("text_delta", told, events);
  }

  /** Keeps an end of the text that may be the beginning of a mark; returns the rest. */
  #holdBack(text: string, marks: readonly string[]): string {
    const at = text.lastIndexOf("<");
    const end = at === -1 ? "" : text.slice(at);
    if (end === "" || !marks.some((mark) => mark !== end && mark.startsWith(end))) return text;
    this.#held = end;
    return text.slice(0, at);
  }
}

function tell(kind: "text_delta" | "reasoning_delta", text: string, events: GenerationEvent[]): void {
  if (text !== "") events.push({ kind, text });
}
