import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Instruction, parseDockerfile, readCopy, readExecForm, readPairs } from "./parse-dockerfile.ts";
import { parseDockerignore } from "./parse-dockerignore.ts";

const ROOT = join(import.meta.dirname, "../..");
const INSTALL_ALL = /^npm ci (?!.*--omit)/;

/** What an engine would have built, as a folder. */
export interface ImageTree {
  /** Stands for `/` of the image's last stage. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** ENTRYPOINT and CMD, with paths in the folder and this process's Node. */
  readonly command: readonly string[];
  /** The command of HEALTHCHECK, likewise. */
  readonly probe: readonly string[];
  readonly uid: number;
  readonly gid: number;
  remove(): Promise<void>;
}

/**
 * Follows the Dockerfile without an engine: each stage is a folder on this machine,
 * COPY copies into it as .dockerignore allows, RUN runs in it. One step is replaced: the
 * whole `npm ci` of the build stage, half a gigabyte, is a link to the packages that run this test.
 */
export async function buildImageTree(): Promise<ImageTree> {
  const { stages } = parseDockerfile(await readFile(join(ROOT, "Dockerfile"), "utf8"));
  const isIgnored = parseDockerignore(await readFile(join(ROOT, ".dockerignore"), "utf8"));
  const base = await mkdtemp(join(tmpdir(), "sluice-image-"));
  for (const { name, instructions } of stages) {
    let workdir = join(base, name);
    for (const { keyword, text } of instructions) {
      if (keyword === "WORKDIR") {
        workdir = join(base, name, text);
        await mkdir(workdir, { recursive: true });
      } else if (keyword === "COPY") {
        const { from, sources, destination } = readCopy(text);
        for (const source of sources) {
          if (from === undefined) await copyIn(ROOT, source, workdir, destination, isIgnored);
          else await moveIn(join(base, from, source), join(workdir, destination));
        }
      } else if (keyword === "RUN") {
        if (INSTALL_ALL.test(text)) await symlink(join(ROOT, "node_modules"), join(workdir, "node_modules"));
        else await promisify(execFile)("sh", ["-c", text], { cwd: workdir });
      }
    }
  }
  const last = stages.at(-1);
  const folder = join(base, last?.name ?? "");
  return {
    folder,
    ...describeStart(last?.instructions ?? [], folder),
    remove: () => rm(base, { recursive: true }),
  };
}

/** As COPY does: of a folder its content, a file under its name where the destination is a folder. */
async function copyIn(
  root: string,
  source: string,
  workdir: string,
  destination: string,
  isIgnored: (path: string) => boolean,
): Promise<void> {
  const from = join(root, source);
  const isFolder = (await stat(from)).isDirectory();
  const target = join(workdir, destination);
  const to = isFolder || !destination.endsWith("/") ? target : join(target, basename(source));
  await mkdir(dirname(to), { recursive: true });
  const filter = (path: string) => !isIgnored(path.slice(root.length + 1));
  await cp(from, to, { recursive: true, filter });
}

/** What another stage made: moved, because copying thousands of files takes seconds and each is taken once. */
async function moveIn(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

function describeStart(
  instructions: readonly Instruction[],
  folder: string,
): Pick<ImageTree, "env" | "command" | "probe" | "uid" | "gid"> {
  const textsOf = (keyword: string) =>
    instructions.filter((each) => each.keyword === keyword).map(({ text }) => text);
  const wordsOf = (text: string) =>
    (readExecForm(text) ?? []).map((word) => {
      if (word === "node") return process.execPath;
      return word.startsWith("/") ? join(folder, word) : word;
    });
  const [uid = 0, gid = 0] = (textsOf("USER")[0] ?? "").split(":").map(Number);
  return {
    env: Object.fromEntries(textsOf("ENV").flatMap((text) => [...readPairs(text)])),
    command: [...textsOf("ENTRYPOINT"), ...textsOf("CMD")].flatMap(wordsOf),
    probe: wordsOf((textsOf("HEALTHCHECK")[0] ?? "").replace(/^.*\bCMD\s+/, "")),
    uid,
    gid,
  };
}
