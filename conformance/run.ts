/**
 * `npm run conformance`: runs the official Connect conformance suite against Sluice's own
 * server, in every protocol. Words after it go to the runner, for example
 * `--run '**\/Timeouts/**' --trace`. Exits 0 only when every case passed.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildRunner } from "./build-runner.ts";
import { generateStubs } from "./generate-stubs.ts";
import { PROJECT, TOOL_FOLDER } from "./tool-folder.ts";

function main(extra: readonly string[]): number {
  mkdirSync(TOOL_FOLDER, { recursive: true });
  const { program, sources } = buildRunner();
  generateStubs(sources);
  const types = spawnSync(join(PROJECT, "node_modules", ".bin", "tsc"), ["-p", import.meta.dirname], {
    stdio: "inherit",
  });
  if (types.status !== 0) return 1;
  const { status } = spawnSync(
    program,
    [
      ...["--mode", "server", "--conf", join(import.meta.dirname, "config.yaml"), ...extra],
      ...["--", process.execPath, join(import.meta.dirname, "server.ts")],
    ],
    { stdio: "inherit" },
  );
  return status ?? 1;
}

process.exitCode = main(process.argv.slice(2));
