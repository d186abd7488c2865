/** Which keys file a command works on. */

import type { OptionSpecs } from "./option-spec.ts";
import type { Arguments } from "./parse-arguments.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** The options of every command that works on a keys file. */
export const KEY_FILE_OPTIONS: OptionSpecs = {
  file: {
    type: "string",
    placeholder: "FILE",
    description: "the keys file (default: auth.keys_file of the configuration)",
  },
  config: {
    type: "string",
    placeholder: "FILE",
    short: "c",
    description: "the configuration (default: SLUICE_CONFIG, else ./sluice.yaml)",
  },
};

/** The path of the keys file: `--file`, else what the configuration says. Throws UsageError where neither tells. */
export async function locateKeyFile(args: Arguments, terminal: Terminal): Promise<string> {
  const file = args.text("file");
  if (file !== undefined) return file;
  // Loaded here only: the schema library is not needed where the file is named.
  const { loadConfig } = await import("../config/load-config.ts");
  const config = args.text("config");
  const result = loadConfig({ env: terminal.env, ...(config === undefined ? {} : { file: config }) });
  if (!result.ok) {
    throw new UsageError(
      "The configuration is wrong, so it names no keys file; `sluice config validate` tells what is wrong. Or name the file with --file.",
    );
  }
  const path = result.config.auth?.keysFile;
  if (path === undefined) {
    throw new UsageError("The configuration has no auth.keys_file. Set it, or name the file with --file.");
  }
  return path;
}
