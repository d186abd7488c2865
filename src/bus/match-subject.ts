/**
 * Whether a subject matches a pattern: `*` stands for one token, `>` at the end for one
 * or more (NATS documentation, "Subject-Based Messaging", wildcards).
 */
export function matchesSubject(pattern: string, subject: string): boolean {
  const wanted = pattern.split(".");
  const tokens = subject.split(".");
  if (wanted.at(-1) === ">") {
    if (tokens.length < wanted.length) return false;
    return wanted.slice(0, -1).every((token, index) => token === "*" || token === tokens[index]);
  }
  return (
    wanted.length === tokens.length &&
    wanted.every((token, index) => token === "*" || token === tokens[index])
  );
}
