/** Ids of answers. */

import type { Random } from "../domain/ports.ts";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Makes an id such as OpenAI's: `chatcmpl-` and 29 letters or digits. To tell answers apart, not to guard them. */
export function makeCompletionId(random: Random): string {
  let id = "chatcmpl-";
  for (let count = 0; count < 29; count++) id += DIGITS[Math.floor(random.next() * DIGITS.length)];
  return id;
}
