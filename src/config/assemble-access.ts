import { resolve } from "node:path";

import type { AuthConfig } from "./access-config.ts";
import type { Config } from "./config.ts";
import type { ConfigFile } from "./schema/config-schema.ts";

/** What a valid file says of who may call. Relative paths start at `folder`. */
export function assembleAccess(file: ConfigFile, folder: string): Pick<Config, "auth" | "cors" | "images"> {
  return {
    ...(file.auth && { auth: assembleAuth(file.auth, folder) }),
    ...(file.cors && { cors: { origins: file.cors.origins } }),
    ...(file.images && { images: { urls: file.images.urls } }),
  };
}

function assembleAuth(auth: NonNullable<ConfigFile["auth"]>, folder: string): AuthConfig {
  return {
    keysFile: auth.keys_file === undefined ? undefined : resolve(folder, auth.keys_file),
    certificateIdentities: auth.certificates.map(({ subject_name, name, scopes }) => ({
      subjectName: subject_name,
      name,
      scopes,
    })),
    isReflectionOpen: auth.open_reflection,
    isMetricsPageOpen: auth.open_metrics_page,
  };
}
