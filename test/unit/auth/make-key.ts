import { drawApiKey, formatApiKey, hashSecret } from "../../../src/auth/api-key.ts";
import type { KeyRecord } from "../../../src/auth/key-record.ts";

/** A key of team-a that may generate, and the text that opens it. */
export function makeKey(changes: Partial<KeyRecord> = {}): {
  readonly key: KeyRecord;
  readonly text: string;
} {
  const drawn = drawApiKey();
  const key: KeyRecord = {
    id: drawn.id,
    name: "team-a",
    scopes: ["generate"],
    secretHash: hashSecret(drawn.secret),
    createdMs: 1_700_000_000_000,
    expiresMs: undefined,
    revokedMs: undefined,
    ...changes,
  };
  return { key, text: formatApiKey(drawn) };
}
