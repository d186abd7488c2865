import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MissingRequirement } from "./native-binaries.ts";

const BENCH = fileURLToPath(new URL("../", import.meta.url));

/** Installs the other gateways from the lock file, unless they are there. */
export function installPeers(): void {
  if (existsSync(`${BENCH}node_modules/@portkey-ai/gateway`)) return;
  console.error("bench: installing the other gateways (npm ci --prefix bench)");
  try {
    execFileSync("npm", ["ci", "--prefix", BENCH, "--ignore-scripts", "--no-audit", "--no-fund"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch {
    throw new MissingRequirement(
      "the other gateways could not be installed; --contestants direct,minimal,connect,sluice needs none of them",
    );
  }
}
