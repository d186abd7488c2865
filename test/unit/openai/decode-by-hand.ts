import { type DecodedChat, decodeChatRequest } from "../../../src/openai/decode-chat-request.ts";

const NAMES = new Set(["glm-4.6-flash", "sluice/odd"]);

/** A body that is right, for tests that change one thing. */
export const PLAIN_BODY = { model: "auto", messages: [{ role: "user", content: "Hello" }] } as const;

/** Decodes text. */
export function decodeText(text: string): DecodedChat {
  return decodeChatRequest(new TextEncoder().encode(text), NAMES);
}

/** Decodes the plain body with members added or replaced. */
export function decodeWith(members: Record<string, unknown>): DecodedChat {
  return decodeText(JSON.stringify({ ...PLAIN_BODY, ...members }));
}

/** The request that was read; fails where there are faults. */
export function expectChat(decoded: DecodedChat) {
  if (decoded.kind === "chat") return decoded.chat;
  throw new Error(decoded.faults.map(({ param, message }) => `${param} ${message}`).join("\n"));
}

/** The faults as `code param`. */
export function listFaults(decoded: DecodedChat): readonly string[] {
  return decoded.kind === "chat" ? [] : decoded.faults.map(({ code, param }) => `${code} ${param}`);
}
