import type { GenerationEvent } from "../../domain/event.ts";
import { isRecord } from "../../lib/is-record.ts";
import { readText } from "../http/read-text.ts";
import { SurrogateJoiner } from "../http/surrogate-joiner.ts";
import { ToolCallSlots } from "../http/tool-call-slots.ts";
import { encodeThoughts, readThought, type ThoughtBlock } from "./thought-signature.ts";

/** The input a tool call began with, and whether pieces of it followed. */
interface OpenTool {
  readonly input: unknown;
  hasPieces: boolean;
}

/** A block of thoughts that is under way, as far as it has come. */
interface OpenThought {
  readonly type: unknown;
  readonly data: unknown;
  thinking: string;
  signature: string;
}

/** Turns the content blocks of one message into deltas. */
export class ContentBlocks {
  readonly #toolCalls: ToolCallSlots;
  readonly #openTools = new Map<number, OpenTool>();
  readonly #openThoughts = new Map<number, OpenThought>();
  /** Thoughts since the last call of a tool: the next one takes them along. */
  #thoughts: ThoughtBlock[] = [];
  /** Blocks of other kinds that are open. */
  readonly #otherBlocks = new Set<number>();
  readonly #text = new SurrogateJoiner();
  readonly #reasoning = new SurrogateJoiner();
  #hasDeltas = false;

  constructor(attemptId: string) {
    this.#toolCalls = new ToolCallSlots(attemptId);
  }

  /** Whether any text, reasoning or tool call came. */
  get hasDeltas(): boolean {
    return this.#hasDeltas || this.hasToolCalls;
  }

  get hasToolCalls(): boolean {
    return this.#toolCalls.count > 0;
  }

  /** `content_block_start`; returns false when there are too many tool calls. */
  start(value: Readonly<Record<string, unknown>>, events: GenerationEvent[]): boolean {
    const index = readIndex(value.index);
    const block = isRecord(value.content_block) ? value.content_block : {};
    this.#addText(readText(block.thinking), readText(block.text), events);
    if (block.type === "thinking" || block.type === "redacted_thinking") {
      const { type, data } = block;
      const [thinking, signature] = [readText(block.thinking), readText(block.signature)];
      this.#openThoughts.set(index, { type, data, thinking, signature });
    }
    if (block.type !== "tool_use") {
      this.#otherBlocks.add(index);
      return true;
    }
    this.#openTools.set(index, { input: block.input, hasPieces: false });
    const [id, name] = [readText(block.id).toWellFormed(), readText(block.name).toWellFormed()];
    const signed = this.#thoughts.length === 0 ? {} : { thoughtSignature: encodeThoughts(this.#thoughts) };
    this.#thoughts = [];
    return this.#toolCalls.add({ index, id, name, arguments: "", ...signed }, events);
  }

  /** `content_block_delta`; returns false when it is input for a block that was not begun. */
  add(value: Readonly<Record<string, unknown>>, events: GenerationEvent[]): boolean {
    const delta = isRecord(value.delta) ? value.delta : {};
    this.#addText(readText(delta.thinking), readText(delta.text), events);
    const thought = this.#openThoughts.get(readIndex(value.index));
    if (thought !== undefined) {
      thought.thinking += readText(delta.thinking);
      thought.signature += readText(delta.signature);
    }
    const piece = readText(delta.partial_json).toWellFormed();
    if (piece === "") return true;
    const index = readIndex(value.index);
    const tool = this.#openTools.get(index);
    // The provider's own tools, such as a web search that the operator turned on, are no calls for the caller.
    if (tool === undefined) return this.#otherBlocks.has(index);
    tool.hasPieces = true;
    return this.#toolCalls.add({ index, id: "", name: "", arguments: piece }, events);
  }

  /** `content_block_stop`: a call without pieces has its whole input at its start. */
  stop(value: Readonly<Record<string, unknown>>, events: GenerationEvent[]): boolean {
    const index = readIndex(value.index);
    const thought = readThought(this.#openThoughts.get(index));
    if (thought !== undefined) this.#thoughts.push(thought);
    this.#openThoughts.delete(index);
    const tool = this.#openTools.get(index);
    this.#openTools.delete(index);
    this.#otherBlocks.delete(index);
    if (tool === undefined || tool.hasPieces) return true;
    const whole = JSON.stringify(isRecord(tool.input) ? tool.input : {});
    return this.#toolCalls.add({ index, id: "", name: "", arguments: whole }, events);
  }

  /** Adds what is left at the end; returns false when a tool call has no name or was cut. */
  close(events: GenerationEvent[]): boolean {
    this.#push(this.#reasoning.flush(), this.#text.flush(), events);
    return this.#openTools.size === 0 && this.#toolCalls.close(events);
  }

  #addText(reasoning: string, text: string, events: GenerationEvent[]): void {
    if (reasoning !== "" || text !== "") this.#hasDeltas = true;
    this.#push(this.#reasoning.join(reasoning), this.#text.join(text), events);
  }

  #push(reasoning: string, text: string, events: GenerationEvent[]): void {
    if (reasoning !== "") events.push({ kind: "reasoning_delta", text: reasoning });
    if (text !== "") events.push({ kind: "text_delta", text });
  }
}

/** The index of a block; −1 where it is missing or no whole number from 0. */
function readIndex(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : -1;
}
