/**
 * Makes the question "is this path left out of the build context?" of a .dockerignore:
 * the last line that fits decides, `!` takes back in, `**` is any number of folders.
 * A line that fits a folder fits what is below it.
 */
export function parseDockerignore(text: string): (path: string) => boolean {
  const rules = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const takesIn = line.startsWith("!");
      return { takesIn, pattern: toPattern(takesIn ? line.slice(1) : line) };
    });
  return (path) => {
    const folders = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
    const deciding = rules.findLast(({ pattern }) => folders.some((each) => pattern.test(each)));
    return deciding !== undefined && !deciding.takesIn;
  };
}

function toPattern(glob: string): RegExp {
  const source = glob
    .replace(/^\/|\/$/g, "")
    .replace(/[.+^$()|{}]/g, "\\$&")
    .replace(/\*\*\/|\*|\?/g, (wild) => (wild === "**/" ? "(?:.*/)?" : wild === "*" ? "[^/]*" : "[^/]"));
  return new RegExp(`^${source}$`);
}
