import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { canPin } from "./child-processes.ts";

const PACKAGES = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node", "undici"];
const PEER = "@portkey-ai/gateway";

function readVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** The version the lock file pins; what is installed comes from it. */
function readPeerVersion(): string {
  const file = new URL("../package.json", import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
  return dependencies[PEER] ?? "unknown";
}

function readCommit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const commit = git("rev-parse", "--short", "HEAD");
    return git("status", "--porcelain") === "" ? commit : `${commit} with uncommitted changes`;
  } catch {
    return "unknown";
  }
}

/** What the numbers depend on, as lines of Markdown. Names no path and no person. */
export function describeMachine(): string[] {
  const cores = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const pinning = canPin
    ? "gateway on core 0; upstream and load generator on core 1"
    : "nothing is pinned (no taskset, or one core): expect noise";
  return [
    `- Machine: ${cores.length} x ${cores[0]?.model.trim() ?? "unknown CPU"}, ${gib} GiB, Linux ${release()}`,
    `- Node of every contestant: ${process.version} (V8 ${process.versions.v8})`,
    `- Packages: ${PACKAGES.map((name) => `${name} ${readVersion(name)}`).join(", ")}, ${PEER} ${readPeerVersion()}`,
    `- Sluice: ${readCommit()}`,
    `- Pinning: ${pinning}`,
    `- Load average over a minute when the report was written: ${(loadavg()[0] ?? 0).toFixed(2)}`,
  ];
}
