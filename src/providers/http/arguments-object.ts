import { isRecord } from "../../lib/is-record.ts";

/** A tool call's arguments as the object that some dialects demand; what a model wrote and is none is kept as text in one. */
export function toArgumentsObject(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return isRecord(value) ? value : { arguments: text };
  } catch {
    return { arguments: text };
  }
}
