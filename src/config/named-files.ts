import { resolve } from "node:path";

import type { ConfigFiles } from "./config-files.ts";
import type { ConfigProblem, ValuePath } from "./problem.ts";
import { childValue, valueAt } from "./schema/schema-node.ts";
import { parseApiKey } from "./values/api-key.ts";
import { type Parsed, readAs, refuse } from "./values/parsed.ts";
import type { YamlSource } from "./yaml-source.ts";

/** What the files that the configuration names gave. */
export interface NamedFiles {
  /** Keys by the name of the provider that has an `api_key_file`. */
  readonly apiKeys: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the key files and looks at the TLS files. Relative paths start at `folder`.
 * Problems never hold a path: it may be a key that was put in the wrong field.
 */
export function readNamedFiles(
  root: unknown,
  file: YamlSource,
  folder: string,
  files: ConfigFiles,
): NamedFiles {
  const apiKeys = new Map<string, string>();
  const problems: ConfigProblem[] = [];

  function read<T>(path: ValuePath, parse: (text: string) => Parsed<T>, right: string): T | undefined {
    const name = valueAt(root, path);
    // Whatever else it is, the schema has said so.
    if (typeof name !== "string" || name === "" || /[\0\r\n]/.test(name) || file.isBroken(path))
      return undefined;
    const content = files.readText(resolve(folder, name));
    if (content.kind !== "text") {
      const wrong =
        content.kind === "missing" ? "names a file that is not there" : `names a file that ${content.why}`;
      problems.push(file.problemAt(path, wrong, right));
      return undefined;
    }
    const parsed = parse(content.text);
    if (parsed.ok) return parsed.value;
    problems.push(file.problemAt(path, `names a file whose content ${parsed.wrong}`, parsed.right));
    return undefined;
  }

  const providers = childValue(root, "providers");
  for (const name of Object.keys(typeof providers === "object" && providers !== null ? providers : {})) {
    const key = read(["providers", name, "api_key_file"], parseApiKey, "a readable file with the key in it");
    if (key !== undefined) apiKeys.set(name, key);
  }
  for (const field of ["certificate_file", "private_key_file", "client_ca_file"]) {
    read(["server", "tls", field], checkPem, "a readable PEM file");
  }
  for (const field of ["ca_file", "certificate_file", "private_key_file"]) {
    read(["nats", "tls", field], checkPem, "a readable PEM file");
  }
  read(["nats", "nkey_seed_file"], checkSeed, "a readable file with the seed of a user's nkey");
  read(["nats", "creds_file"], checkCreds, "a readable credentials file");
  return { apiKeys, problems };
}

function checkSeed(text: string): Parsed<undefined> {
  return /^SU[A-Z2-7]{56}$/.test(text.trim())
    ? readAs(undefined)
    : refuse("is no seed of a user's nkey", "58 characters that begin with SU, and nothing else");
}

function checkCreds(text: string): Parsed<undefined> {
  return text.includes("-----BEGIN NATS USER JWT-----") && text.includes("-----BEGIN USER NKEY SEED-----")
    ? readAs(undefined)
    : refuse("is no credentials file", "a file that `nsc generate creds` wrote, with a JWT and a seed");
}

function checkPem(text: string): Parsed<undefined> {
  return text.includes("-----BEGIN ")
    ? readAs(undefined)
    : refuse("is not PEM", "a file with a line `-----BEGIN …-----`");
}
