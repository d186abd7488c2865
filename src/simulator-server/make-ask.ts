import type { GenerationRequest, Message } from "../domain/request.ts";
import type { Ask, ReadAsk } from "./dialect.ts";
import { BadField } from "./field-reader.ts";

/** The parts of a request that dialects read each in their own way. */
export type AskParts = Pick<Ask, "model" | "isStream" | "includesUsage"> &
  Pick<GenerationRequest, "messages" | "sampling" | "tools" | "toolChoice" | "responseFormat">;

/** Puts a request together; a BadField thrown by `read` becomes its sentence. */
export function makeAsk(read: () => AskParts): ReadAsk {
  try {
    const { model, isStream, includesUsage, ...content } = read();
    if (model === "") return { ok: false, message: "model is empty; right would be the name of a model" };
    if (content.messages.length === 0) {
      return { ok: false, message: "messages is empty; right would be at least one message" };
    }
    const request: GenerationRequest = {
      ...content,
      target: { kind: "model", model },
      priority: "balanced",
      requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
    };
    return { ok: true, ask: { model, isStream, includesUsage, request } };
  } catch (error) {
    if (error instanceof BadField) return { ok: false, message: error.message };
    throw error;
  }
}

/** A message of text only. */
export function textMessage(role: Message["role"], text: string): Message {
  return { role, parts: [{ kind: "text", text }] };
}
