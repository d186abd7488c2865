/** Texts that must not appear anywhere but where they are meant to. Every test that has a model server fail uses them. */
export const CANARIES = {
  providerKey: "CANARY-providerkey-7f3a",
  prompt: "CANARY-prompt-51bc",
  upstreamText: "CANARY-upstreamtext-e90d",
} as const;

/**
 * The canaries and further secrets that a text holds: as they are, or in Base64, the form
 * that binary metadata and error details take.
 */
export function findCanaries(
  text: string,
  secrets: readonly string[] = Object.values(CANARIES),
): readonly string[] {
  const decoded = [...text.matchAll(/[A-Za-z0-9+/_-]{16,}/g)].map(([run]) =>
    Buffer.from(run, "base64").toString("latin1"),
  );
  const places = [text, ...decoded];
  return secrets.filter((secret) => places.some((place) => place.includes(secret)));
}

/** Throws when a text that somebody can read holds a canary. `place` says whose it is. */
export function refuseCanaries(place: string, text: string): void {
  const found = findCanaries(text);
  if (found.length > 0) throw new Error(`${place} holds ${found.join(" and ")}: ${text.slice(0, 500)}`);
}
