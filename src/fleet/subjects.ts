/** The subjects of proto/sluice/v1/events.proto, and ids as tokens of them. */

/** What stands for itself in a token. */
const PLAIN = /^[a-z0-9-]$/;
/** Tokens that stand for themselves, as those of most replicas do. */
const PLAIN_TOKEN = /^[a-z0-9-]{1,256}$/;
const ESCAPED = /_([0-9a-f]{2})/g;
const TOKEN = /^(?:[a-z0-9-]|_[0-9a-f]{2})+$|^_$/;
/** Subjects longer than this are refused by some servers. */
const MAX_TOKEN_LENGTH = 256;

/**
 * An id as one token of a subject: bytes of its UTF-8 other than `a-z 0-9 -` become
 * `_` and two hexadecimal digits; the empty id becomes `_`. Nothing else is emitted, so
 * no id can be mistaken for a dot or a wildcard. `unescapeSubjectToken` turns it back.
 */
export function escapeSubjectToken(id: string): string {
  if (id === "") return "_";
  let token = "";
  for (const byte of new TextEncoder().encode(id)) {
    const character = String.fromCharCode(byte);
    token += PLAIN.test(character) ? character : `_${byte.toString(16).padStart(2, "0")}`;
  }
  return token;
}

/** The id of a token that `escapeSubjectToken` made; undefined for any other. */
export function unescapeSubjectToken(token: string): string | undefined {
  if (PLAIN_TOKEN.test(token)) return token;
  if (token === "_") return "";
  if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) return undefined;
  const bytes = token.replace(ESCAPED, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const id = decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    return escapeSubjectToken(id) === token ? id : undefined;
  } catch {
    return undefined;
  }
}

const ROOT = "sluice.v1";

/** Where replicas ask what the others know. */
export const SYNC_SUBJECT = `${ROOT}.sync`;
/** Everybody's evidence. */
export const HEALTH_PATTERN = `${ROOT}.health.*`;

/** Where a replica tells its evidence. */
export function healthSubject(replicaId: string): string {
  return `${ROOT}.health.${escapeSubjectToken(replicaId)}`;
}

/** The replica whose evidence a subject carries; undefined for other subjects. */
export function readHealthSubject(subject: string): string | undefined {
  const prefix = `${ROOT}.health.`;
  return subject.startsWith(prefix) ? unescapeSubjectToken(subject.slice(prefix.length)) : undefined;
}

/** Where a replica tells of attempts at a deployment. */
export function performanceSubject(replicaId: string, provider: string, deployment: string): string {
  const tokens = [replicaId, provider, deployment].map(escapeSubjectToken);
  return `${ROOT}.perf.${tokens.join(".")}`;
}

/** Where a replica tells of the circuit breaker of a deployment. */
export function breakerSubject(replicaId: string, deployment: string): string {
  return `${ROOT}.breaker.${escapeSubjectToken(replicaId)}.${escapeSubjectToken(deployment)}`;
}

/** Where a replica raises alerts. */
export function alertSubject(replicaId: string): string {
  return `${ROOT}.alert.${escapeSubjectToken(replicaId)}`;
}
