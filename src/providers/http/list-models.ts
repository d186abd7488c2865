import type { Pool } from "undici";
import { isRecord } from "../../lib/is-record.ts";

/** Lists are long at OpenRouter: some hundred models with descriptions. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

/**
 * Reads a list of models: `data[].id` as OpenAI, Anthropic, OpenRouter and Gemini have it, or
 * Ollama's `models[].name`. Undefined for anything else, for errors and after `timeoutMs`.
 */
export async function listModels(
  pool: Pool,
  path: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<readonly string[] | undefined> {
  const { "content-type": _type, ...others } = headers;
  try {
    const { statusCode, body } = await pool.request({
      method: "GET",
      path,
      headers: { ...others, accept: "application/json" },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    let text = "";
    body.setEncoding("utf8");
    for await (const chunk of body) {
      text += chunk;
      if (text.length > MAX_LIST_BYTES) return undefined;
    }
    return statusCode === 200 ? readModelList(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

/** The upstream names in a list; undefined when it is none or empty. */
export function readModelList(value: unknown): readonly string[] | undefined {
  if (!isRecord(value)) return undefined;
  const list = Array.isArray(value.data) ? value.data : value.models;
  if (!Array.isArray(list)) return undefined;
  const names = list.flatMap((entry): string[] => {
    if (!isRecord(entry)) return [];
    const name = entry.id ?? entry.name;
    // Gemini puts its folder before the name.
    return typeof name === "string" ? [name.replace(/^models\//, "")] : [];
  });
  return names.length > 0 ? names : undefined;
}
