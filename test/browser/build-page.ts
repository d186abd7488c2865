import { execFile } from "node:child_process";
import { cp, mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The built page, or why it cannot be built here. */
export type BuiltPage =
  | { readonly ok: true; readonly folder: string }
  | { readonly ok: false; readonly why: string };

/** Builds examples/browser by the commands of its README, in a copy that is kept, so that packages are fetched once. */
export async function buildPage(): Promise<BuiltPage> {
  const workspace = join(ROOT, ".cache/browser");
  const folder = join(workspace, "examples/browser");
  await mkdir(folder, { recursive: true });
  const isBuilt = (path: string) => /[\\/](?:gen|dist|node_modules)$/.test(path);
  await cp(join(ROOT, "examples/browser"), folder, {
    recursive: true,
    filter: (path) => !isBuilt(path),
  });
  await rm(join(workspace, "gen"), { force: true });
  await symlink(join(ROOT, "gen"), join(workspace, "gen"));
  for (const built of ["gen", "dist"]) await rm(join(folder, built), { recursive: true, force: true });
  try {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
      cwd: folder,
    });
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(text)) throw error;
    return { ok: false, why: "its packages cannot be fetched." };
  }
  await run("npm", ["run", "build"], { cwd: folder });
  return { ok: true, folder };
}
