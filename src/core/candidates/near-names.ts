/** Longer texts are no slip of the finger, and the comparison is quadratic. */
const MAX_NAME_LENGTH = 64;
const MAX_NEAR_COUNT = 3;

/** The names among `known` that `name` may have been meant to be, nearest first, at most three. */
export function findNearNames(name: string, known: readonly string[]): readonly string[] {
  if (name.length > MAX_NAME_LENGTH) return [];
  const plain = simplify(name);
  // At least one character must have been meant.
  const maxEditCount = Math.min(Math.max(1, Math.floor(name.length / 3)), plain.length - 1);
  return [...new Set(known)]
    .map((candidate) => ({ candidate, editCount: countEdits(plain, simplify(candidate)) }))
    .filter(({ editCount }) => editCount <= maxEditCount)
    .sort((a, b) => a.editCount - b.editCount)
    .slice(0, MAX_NEAR_COUNT)
    .map(({ candidate }) => candidate);
}

/** `fast-group`, `fastGroup` and `fast_group` are the same slip. */
function simplify(name: string): string {
  return name
    .slice(0, MAX_NAME_LENGTH)
    .toLowerCase()
    .replace(/[-_. ]/g, "");
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
