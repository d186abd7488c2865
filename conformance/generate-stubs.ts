import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT, TOOL_FOLDER } from "./tool-folder.ts";

/** Generates the TypeScript of the conformance service from the runner's own protos. Throws when buf fails. */
export function generateStubs(sources: string): void {
  const template = {
    version: "v2",
    clean: true,
    plugins: [
      {
        local: join(PROJECT, "node_modules", ".bin", "protoc-gen-es"),
        out: join(TOOL_FOLDER, "gen"),
        opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
      },
    ],
  };
  const args = ["generate", join(sources, "proto"), "--template", JSON.stringify(template)];
  const { status } = spawnSync(join(PROJECT, "node_modules", ".bin", "buf"), args, { stdio: "inherit" });
  if (status !== 0) throw new Error("buf could not generate the conformance service");
}
