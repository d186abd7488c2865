import { readFileSync } from "node:fs";

/**
 * The version in our package.json, which is two levels up from here in the
 * sources and three in the compiled program.
 */
export function readVersion(): string {
  for (const path of ["../../package.json", "../../../package.json"]) {
    const found = readManifest(new URL(path, import.meta.url));
    if (found !== undefined && found.name === "sluice") return String(found.version);
  }
  throw new Error("package.json of sluice is missing");
}

function readManifest(url: URL): { readonly name?: unknown; readonly version?: unknown } | undefined {
  try {
    return JSON.parse(readFileSync(url, "utf8"));
  } catch {
    return undefined;
  }
}
