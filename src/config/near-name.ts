/** The name most like `name` among `known`, or undefined when none is near enough to be meant. */
export function findNearName(name: string, known: readonly string[]): string | undefined {
  // Longer texts are no slip of the finger, and the comparison is quadratic.
  if (name.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = countEdits(simplify(name), simplify(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `baseUrl`, `base-url` and `base_url` are the same slip. */
function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, "");
}

/** Levenshtein's distance: inserted, deleted and replaced characters. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
