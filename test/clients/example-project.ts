import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningProgram, startProgram } from "../support/run-program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Kept between runs, so that packages are installed once. */
const WORKSPACE = join(ROOT, ".cache", "clients");
const LINKED = ["proto", "gen", "node_modules", "package.json", "buf.yaml"];

/** What a command left behind. */
export interface CommandResult {
  readonly isOk: boolean;
  readonly out: string;
  readonly err: string;
}

/** An example, copied to where generated code may lie about. */
export interface ExampleProject {
  /** The commands of the README's first block, in order, without the `cd`. */
  readonly commands: readonly string[];
  /** Runs one line by `sh` in the example's folder; a virtual environment is entered where there is one. */
  run(command: string): Promise<CommandResult>;
  /** The same for one that goes on. */
  start(command: string): RunningProgram;
}

/** Copies `examples/<name>` beside links to what the README's commands reach for, and reads those commands. */
export async function openExampleProject(name: string): Promise<ExampleProject> {
  const folder = join(WORKSPACE, "examples", name);
  await mkdir(folder, { recursive: true });
  for (const entry of LINKED) {
    const link = join(WORKSPACE, entry);
    await rm(link, { force: true });
    await symlink(join(ROOT, entry), link);
  }
  const isGenerated = (path: string) =>
    /[\\/](?:gen|\.venv|__pycache__|target)(?:[\\/]|$)/.test(path.slice(ROOT.length));
  await cp(join(ROOT, "examples", name), folder, { recursive: true, filter: (path) => !isGenerated(path) });
  await rm(join(folder, "gen"), { recursive: true, force: true });
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const [, block = ""] = /```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  const [change, ...commands] = block.trim().split("\n");
  if (change !== `cd examples/${name}`) throw new Error(`the README of ${name} must begin with its cd`);
  return {
    commands,
    run: (command) => runShell(command, folder),
    start: (command) => startProgram(["sh", "-ec", enterEnvironment(command)], { cwd: folder }),
  };
}

function enterEnvironment(command: string): string {
  return `if [ -f .venv/bin/activate ]; then . .venv/bin/activate; fi\n${command}`;
}

function runShell(command: string, folder: string): Promise<CommandResult> {
  const script = enterEnvironment(command);
  return new Promise((resolve) => {
    execFile("sh", ["-ec", script], { cwd: folder, timeout: 300_000 }, (error, out, err) => {
      resolve({ isOk: error === null, out, err });
    });
  });
}
