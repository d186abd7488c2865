/** Makes a conversation shorter from its beginning. Pure. */

import type { Message } from "../domain/request.ts";
import { estimateMessageTokens } from "./estimate-prompt-tokens.ts";

/** A conversation without its oldest turns. */
export interface TrimmedMessages {
  readonly messages: readonly Message[];
  /** The estimate of what is left. */
  readonly tokens: number;
}

/**
 * Drops the oldest messages until the rest has at most `limitTokens`, of which `fixedTokens`
 * are spent beside the messages. System messages stay, and so does everything from the
 * last user message on; a call of tools and its results go together, and the answer to a
 * question that is dropped goes with it. Undefined when even what must stay is too long.
 */
export function trimMessages(
  messages: readonly Message[],
  fixedTokens: number,
  limitTokens: number,
): TrimmedMessages | undefined {
  const costs = messages.map(estimateMessageTokens);
  let tokens = costs.reduce((sum, cost) => sum + cost, fixedTokens);
  const dropped = new Set<number>();
  const lastTurn = Math.max(
    messages.findLastIndex(({ role }) => role === "user"),
    0,
  );
  let index = 0;
  while (tokens > limitTokens && index < lastTurn) {
    const next = findNextTurn(messages, index, lastTurn);
    for (; index < next; index++) {
      if (messages[index]?.role === "system") continue;
      dropped.add(index);
      tokens -= costs[index] ?? 0;
    }
  }
  if (tokens > limitTokens) return undefined;
  return { messages: messages.filter((_, place) => !dropped.has(place)), tokens };
}

/** Where the turn after this one begins: at the next message of the user. */
function findNextTurn(messages: readonly Message[], from: number, lastTurn: number): number {
  for (let index = from + 1; index < lastTurn; index++) if (messages[index]?.role === "user") return index;
  return lastTurn;
}
