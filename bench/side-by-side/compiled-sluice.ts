import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Why the compiled form of Sluice cannot be measured: it is missing, or older than a source. */
export function explainMissingBuild(root: string): string | undefined {
  const builtMs = modifiedMs(join(root, "dist/src/cli/main.js"));
  if (builtMs === 0) return "there is no build; run `npm run build` first to measure it too";
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const newer = sources.find((file) => file.endsWith(".ts") && modifiedMs(join(root, "src", file)) > builtMs);
  return newer === undefined
    ? undefined
    : `the build is older than src/${newer}; run \`npm run build\` again`;
}
