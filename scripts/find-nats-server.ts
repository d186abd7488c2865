/**
 * Finds a nats-server for tests and benchmarks. `node scripts/find-nats-server.ts [debian|newest|path]`
 * prints where it is, or why there is none.
 */

import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Kept between runs, never committed. */
const CACHE = join(import.meta.dirname, "..", ".cache", "nats");

/** The release that stands for "newest": a moving target would make yesterday's result unrepeatable. */
const NEWEST_VERSION = "v2.15.2";
const MODULE = "github.com/nats-io/nats-server/v2";
const FETCH_TIMEOUT_MS = 300_000;

/** A server program, or why there is none. */
export type FoundNatsServer =
  | { readonly kind: "found"; readonly program: string; readonly origin: string }
  | { readonly kind: "missing"; readonly why: string };

/**
 * Without a wish: `nats-server` on PATH, else Debian's package unpacked without installing it, else
 * built with Go. `debian` and `newest` insist on one of the last two; any other wish is a path.
 */
export async function findNatsServer(
  wish: string | undefined = process.env.TEST_NATS_SERVER || undefined,
): Promise<FoundNatsServer> {
  if (wish === "debian") return attemptAll([unpackDebianPackage]);
  if (wish === "newest") return attemptAll([buildWithGo]);
  if (wish !== undefined) return attemptAll([() => findAt(resolve(wish))]);
  return attemptAll([findOnPath, unpackDebianPackage, buildWithGo]);
}

type Attempt = () => Promise<{ readonly program: string; readonly origin: string }>;

async function attemptAll(attempts: readonly Attempt[]): Promise<FoundNatsServer> {
  const reasons: string[] = [];
  for (const attempt of attempts) {
    try {
      return { kind: "found", ...(await attempt()) };
    } catch (error) {
      reasons.push(describe(error));
    }
  }
  return { kind: "missing", why: reasons.join("; ") };
}

/** The last line of what a program said, or the message; these errors are long. */
function describe(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message?: string };
  const lines = (stderr || message || String(error)).trim().split("\n");
  return lines.at(-1) ?? "unknown";
}

async function findAt(program: string) {
  await access(program, constants.X_OK).catch(() => {
    throw new Error(`${program} is no program`);
  });
  return { program, origin: program };
}

async function findOnPath() {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const program = join(folder, "nats-server");
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== "" && isThere) return { program, origin: "PATH" };
  }
  throw new Error("there is no nats-server on PATH");
}

async function unpackDebianPackage() {
  const program = join(CACHE, "debian", "usr", "sbin", "nats-server");
  await makeOnce(join(CACHE, "debian"), async (folder) => {
    await run("apt-get", ["download", "-qq", "nats-server"], { cwd: folder, timeout: FETCH_TIMEOUT_MS });
    const [file] = (await readdir(folder)).filter((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded no nats-server");
    await run("dpkg", ["-x", join(folder, file), folder]);
    await rm(join(folder, file));
  });
  return { program, origin: "Debian's package" };
}

async function buildWithGo() {
  const folder = join(CACHE, NEWEST_VERSION);
  await makeOnce(folder, async (bin) => {
    await run("go", ["install", `${MODULE}@${NEWEST_VERSION}`], {
      cwd: bin,
      env: { ...process.env, GOBIN: bin },
      timeout: FETCH_TIMEOUT_MS,
    });
  });
  return { program: join(folder, "nats-server"), origin: `Go module ${NEWEST_VERSION}` };
}

/** Fills a folder unless it is there. Whoever is first wins; nobody ever sees half of it. */
async function makeOnce(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (await isFolder(folder)) return;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, "draft-"));
  try {
    await fill(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isFolder(folder))) throw error;
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return readdir(folder).then(
    () => true,
    () => false,
  );
}

if (process.argv[1] === import.meta.filename) {
  const found = await findNatsServer(process.argv[2]);
  if (found.kind === "found") {
    console.log(found.program);
  } else {
    console.error(`no nats-server: ${found.why}`);
    process.exitCode = 1;
  }
}
