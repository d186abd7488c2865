import type { GenerationEvent } from "../../domain/event.ts";

/** A piece of a tool call as the wire has it; absent members are undefined or empty. */
export interface ToolCallFragment {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** See `ToolCall`; absent where there is none. */
  readonly thoughtSignature?: string;
}

/** More calls than this in one answer are nonsense; OpenAI allows 128 tools. */
const MAX_CALL_COUNT = 1_024;
/** OpenAI refuses call ids over 40 characters when they come back. */
const MINTED_TAIL_LENGTH = 24;

interface Slot {
  readonly callId: string;
  readonly index: number | undefined;
  readonly isMinted: boolean;
  name: string;
  /** Arguments that came before the name. */
  early: string;
  /** A signature that came before the name. */
  earlySignature: string | undefined;
}

/**
 * Sorts the fragments of tool calls into calls, for servers that number them well and
 * for those that do not: a new non-empty id opens a call, missing ids are made up,
 * a fragment without id or index goes to the call before it. Arguments are never repaired.
 */
export class ToolCallSlots {
  readonly #slots: Slot[] = [];
  readonly #byIndex = new Map<number, Slot>();
  readonly #mintPrefix: string;

  /** `attemptId` makes the made-up ids unique. */
  constructor(attemptId: string) {
    this.#mintPrefix = `call_${attemptId.replace(/[^A-Za-z0-9]/g, "").slice(-MINTED_TAIL_LENGTH)}_`;
  }

  get count(): number {
    return this.#slots.length;
  }

  /** Adds a fragment's event, if it makes one. Returns false when there are too many calls. */
  add(fragment: ToolCallFragment, events: GenerationEvent[]): boolean {
    const slot = this.#find(fragment) ?? this.#open(fragment);
    if (this.#slots.length > MAX_CALL_COUNT) return false;
    const { thoughtSignature } = fragment;
    if (slot.name !== "") {
      if (fragment.arguments !== "" || thoughtSignature !== undefined) {
        events.push(piece(slot.callId, "", fragment.arguments, false, thoughtSignature));
      }
      return true;
    }
    slot.early += fragment.arguments;
    slot.earlySignature ??= thoughtSignature;
    if (fragment.name !== "") {
      slot.name = fragment.name;
      events.push(piece(slot.callId, slot.name, slot.early, false, slot.earlySignature));
      slot.early = "";
    }
    return true;
  }

  /**
   * Adds the last piece of every call. Only now: until the answer ends any call may
   * go on. Returns false when a call has no name, which makes the answer unreadable.
   */
  close(events: GenerationEvent[]): boolean {
    for (const slot of this.#slots) {
      if (slot.name === "") return false;
      events.push(piece(slot.callId, "", "", true));
    }
    return true;
  }

  #find(fragment: ToolCallFragment): Slot | undefined {
    const { id, index, name } = fragment;
    const atIndex = index === undefined ? undefined : this.#byIndex.get(index);
    if (id !== "") {
      const withId = this.#slots.findLast((slot) => slot.callId === id);
      const isOther = withId && name !== "" && index !== undefined && withId.index !== index;
      if (withId && !isOther) return withId;
      // An id that comes after the call was opened without one belongs to that call.
      return atIndex?.isMinted && name === "" ? atIndex : undefined;
    }
    if (index !== undefined) {
      const isOther = atIndex && name !== "" && atIndex.name !== "" && atIndex.name !== name;
      return isOther ? undefined : atIndex;
    }
    return name === "" ? this.#slots.at(-1) : undefined;
  }

  #open(fragment: ToolCallFragment): Slot {
    const isTaken = this.#slots.some((slot) => slot.callId === fragment.id);
    const isMinted = fragment.id === "" || isTaken;
    const slot: Slot = {
      callId: isMinted ? `${this.#mintPrefix}${this.#slots.length}` : fragment.id,
      index: fragment.index,
      isMinted,
      name: "",
      early: "",
      earlySignature: undefined,
    };
    this.#slots.push(slot);
    if (fragment.index !== undefined) this.#byIndex.set(fragment.index, slot);
    return slot;
  }
}

function piece(
  callId: string,
  name: string,
  argumentsDelta: string,
  last: boolean,
  thoughtSignature?: string,
): GenerationEvent {
  return {
    kind: "tool_call_delta",
    callId,
    name,
    argumentsDelta,
    last,
    ...(thoughtSignature !== undefined && { thoughtSignature }),
  };
}
