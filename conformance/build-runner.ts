import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { TOOL_FOLDER } from "./tool-folder.ts";

/** The module of the official runner, at the version whose cases count. */
const MODULE = "connectrpc.com/conformance";
const VERSION = "v1.0.5";

/** The built runner, and its sources: the protos of the service lie among them. */
export interface Runner {
  readonly program: string;
  readonly sources: string;
}

/** Builds the runner with Go unless the cache has it. Throws, with what to do, when it cannot. */
export function buildRunner(): Runner {
  const folder = join(TOOL_FOLDER, VERSION);
  const program = join(folder, "connectconformance");
  if (!existsSync(program)) {
    process.stdout.write(`building ${MODULE} ${VERSION} with Go\n`);
    runGo(["install", `${MODULE}/cmd/connectconformance@${VERSION}`], { GOBIN: folder });
  }
  // Asked every time: Go's cache of modules may have been emptied since.
  const download = runGo(["mod", "download", "-json", `${MODULE}@${VERSION}`], {});
  const { Dir: sources }: { readonly Dir: string } = JSON.parse(download);
  return { program, sources };
}

function runGo(args: readonly string[], env: NodeJS.ProcessEnv): string {
  const { status, error, stdout, stderr } = spawnSync("go", args, {
    encoding: "utf8",
    cwd: TOOL_FOLDER,
    env: { ...process.env, ...env },
  });
  if (error !== undefined) throw new Error("the conformance runner needs Go 1.24 or newer in the PATH");
  if (status !== 0) throw new Error(`go ${args.join(" ")} failed:\n${stderr}`);
  return stdout;
}
