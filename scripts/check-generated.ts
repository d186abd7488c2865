/** Generates the contract's code into a temporary folder and fails when it differs from `gen`. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "sluice-gen-"));
try {
  // The template's own `out` is relative, so it lands below the folder given here.
  const { status } = spawnSync("buf", ["generate", "--output", folder], { stdio: "inherit" });
  if (status !== 0) throw new Error("buf generate failed");
  const fresh = listFiles(join(folder, "gen"));
  const committed = listFiles("gen");
  const names = new Set([...fresh.keys(), ...committed.keys()]);
  const differing = [...names].filter((name) => fresh.get(name) !== committed.get(name)).toSorted();
  if (differing.length > 0) {
    console.error(`gen is not what buf generates: ${differing.join(", ")}. Run npm run generate and commit.`);
    process.exitCode = 1;
  } else {
    console.log(`${names.size} generated files are as committed`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function listFiles(root: string): ReadonlyMap<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1), readFileSync(path, "utf8")];
    }),
  );
}
