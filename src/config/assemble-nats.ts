import { resolve } from "node:path";
import { Secret } from "../lib/secret.ts";
import type { NatsConfig, NatsCredentials, NatsServer, NatsTls } from "./nats-config.ts";
import type { ConfigFile } from "./schema/config-schema.ts";
import { natsSection } from "./schema/nats-section.ts";

type NatsEntry = NonNullable<ConfigFile["nats"]>;

/**
 * What a valid file and `NATS_URL` say of NATS; undefined when neither does. Relative paths start at
 * `folder`; `servers` of the variable win over the file's.
 */
export function assembleNats(
  file: ConfigFile,
  servers: readonly NatsServer[] | undefined,
  folder: string,
): NatsConfig | undefined {
  if (file.nats === undefined && servers === undefined) return undefined;
  const entry = file.nats ?? natsSection.parse({});
  return {
    servers: servers ?? entry.servers,
    replicaId: entry.replica_id,
    subjectPrefix: entry.subject_prefix,
    encoding: entry.encoding,
    credentials: assembleCredentials(entry, folder),
    tls: assembleTls(entry, folder),
  };
}

function assembleCredentials(entry: NatsEntry, folder: string): NatsCredentials | undefined {
  const { user, password, token, nkey_seed_file, creds_file } = entry;
  if (user !== undefined && password !== undefined) {
    return { kind: "password", user, password: new Secret(password) };
  }
  if (token !== undefined) return { kind: "token", token: new Secret(token) };
  if (nkey_seed_file !== undefined) return { kind: "nkey", seedFile: resolve(folder, nkey_seed_file) };
  if (creds_file !== undefined) return { kind: "creds", credsFile: resolve(folder, creds_file) };
  return undefined;
}

function assembleTls({ tls }: NatsEntry, folder: string): NatsTls | undefined {
  if (tls === undefined) return undefined;
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path));
  return {
    caFile: at(tls.ca_file),
    certificateFile: at(tls.certificate_file),
    privateKeyFile: at(tls.private_key_file),
  };
}
