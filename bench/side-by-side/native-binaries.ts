import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findProgram } from "./find-program.ts";

const NATIVE = fileURLToPath(new URL("../native/", import.meta.url));
/** Everything made by the benchmark that can be made again. */
export const CACHE: string = fileURLToPath(new URL("../.cache/", import.meta.url));

const HEADERS = ["load-generator.h", "mock-upstream.h"];
const MOCK_SOURCES = ["mock-upstream.c", "mock-answer.c"];
const LOAD_SOURCES = ["load-generator.c", "load-http1.c", "load-http2.c", "load-measure.c"];
const FLAGS = ["-O2", "-Wall", "-Wextra", "-std=gnu11"];

/** The paths of the two compiled programs. */
export interface NativeBinaries {
  readonly mockUpstream: string;
  readonly loadGenerator: string;
}

/** Something that has to be installed first; the message says what. */
export class MissingRequirement extends Error {}

function compile(
  compiler: string,
  name: string,
  sources: readonly string[],
  libraries: readonly string[],
): string {
  const binary = `${CACHE}${name}`;
  const inputs = [...sources, ...HEADERS].map((source) => NATIVE + source);
  const builtMs = existsSync(binary) ? statSync(binary).mtimeMs : 0;
  if (inputs.every((input) => statSync(input).mtimeMs < builtMs)) return binary;
  const args = [...FLAGS, "-o", binary, ...sources.map((source) => NATIVE + source), ...libraries];
  try {
    execFileSync(compiler, args, { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    if (text.includes("nghttp2")) {
      throw new MissingRequirement(
        "the load generator needs libnghttp2's headers: install libnghttp2-dev (Debian) or libnghttp2-devel (Fedora)",
      );
    }
    throw new Error(`${name} does not compile:\n${text}`);
  }
  return binary;
}

/** Compiles what is older than its source. Throws MissingRequirement where this machine lacks something. */
export function buildNativeBinaries(): NativeBinaries {
  if (process.platform !== "linux") {
    throw new MissingRequirement(
      "the benchmark needs Linux: it uses epoll, and reads CPU and memory from /proc",
    );
  }
  const compiler = findProgram("cc") ?? findProgram("gcc") ?? findProgram("clang");
  if (compiler === undefined) {
    throw new MissingRequirement(
      "the benchmark needs a C compiler: install gcc and libc6-dev (Debian) or gcc (Fedora)",
    );
  }
  mkdirSync(CACHE, { recursive: true });
  return {
    mockUpstream: compile(compiler, "mock-upstream", MOCK_SOURCES, []),
    loadGenerator: compile(compiler, "load-generator", LOAD_SOURCES, ["-lnghttp2", "-lm"]),
  };
}
