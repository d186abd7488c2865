/** Runs the checks or the tests of the project, step by step, and says what ran. `node scripts/run-steps.ts check|test` */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

interface Step {
  readonly name: string;
  readonly command: string;
}

const UNIT_TESTS = "'test/*.test.ts' 'test/unit/**/*.test.ts' 'test/router/**/*.test.ts'";

const CHECK: readonly Step[] = [
  { name: "types", command: "tsc" },
  { name: "lint and format", command: "biome ci --colors=off --error-on-warnings ." },
  { name: "buf lint", command: "buf lint" },
  { name: "buf format", command: "buf format --diff --exit-code proto" },
  { name: "buf breaking", command: breakingCommand() },
  { name: "generated code", command: "node scripts/check-generated.ts" },
  {
    name: "units and import table",
    command: `mocha --no-config --extension ts --timeout 10000 --forbid-only ${UNIT_TESTS}`,
  },
];

const TEST: readonly Step[] = [
  ...CHECK,
  {
    name: "everything else",
    command:
      "mocha --no-config --extension ts --timeout 60000 --forbid-only 'test/{conformance,nats,rpc,cli,clients,browser,docs,packaging,faults,fuzz,sim}/**/*.test.ts'",
  },
];

/** The contract is compared with the last release; before the first release there is nothing to break. */
function breakingCommand(): string {
  const tag = spawnSync("git", ["describe", "--tags", "--abbrev=0", "--match", "v*"], { encoding: "utf8" });
  const name = tag.status === 0 ? tag.stdout.trim() : "";
  return name === ""
    ? "node -e \"console.log('no release tag yet: nothing to compare with')\""
    : `buf breaking --against '.git#tag=${name}'`;
}

const [, , which] = process.argv;
const steps = which === "test" ? TEST : which === "check" ? CHECK : undefined;
if (steps === undefined) {
  console.error("usage: node scripts/run-steps.ts check|test");
  process.exit(2);
}
if (!existsSync("package.json")) {
  console.error("run this in the project's folder");
  process.exit(2);
}
for (const { name, command } of steps) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, { shell: true, stdio: "inherit" });
  if (status !== 0) {
    console.error(`\n${name} failed: ${command}`);
    process.exit(1);
  }
}
console.log(`\nall ${steps.length} steps passed`);
