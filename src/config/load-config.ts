import { dirname, join, resolve } from "node:path";

import { listAccessNotices } from "./access-notices.ts";
import { assembleAccess } from "./assemble-access.ts";
import { assembleAlerts } from "./assemble-alerts.ts";
import { assembleCatalog, assembleServer, type CatalogConfig } from "./assemble-config.ts";
import { assembleNats } from "./assemble-nats.ts";
import { assembleRouting } from "./assemble-routing.ts";
import { assembleTargets } from "./assemble-targets.ts";
import { builtInConfig, listBuiltInNames } from "./built-in-config.ts";
import { changeCatalog, listDisabled } from "./change-catalog.ts";
import { checkAccess } from "./check-access.ts";
import { checkReferences } from "./check-references.ts";
import { checkTargets } from "./check-targets.ts";
import type { Config } from "./config.ts";
import { type ConfigFiles, machineFiles } from "./config-files.ts";
import { listNotices } from "./config-notices.ts";
import { parseDotenv } from "./dotenv.ts";
import type { Env } from "./interpolate.ts";
import { readCatalogNames } from "./known-names.ts";
import { readNamedFiles } from "./named-files.ts";
import { listNatsNotices } from "./nats-notices.ts";
import { type Overrides, readOverrides, type SettingOverrides } from "./overrides.ts";
import type { ConfigProblem } from "./problem.ts";
import { type ConfigFile, configSchema } from "./schema/config-schema.ts";
import { fitToSchema } from "./schema/fit-to-schema.ts";
import { plainSchema } from "./schema/json-schema.ts";
import { listSchemaProblems } from "./schema/list-schema-problems.ts";
import { childValue } from "./schema/schema-node.ts";
import { readYaml } from "./yaml-source.ts";

/** Where to look. */
export interface LoadOptions {
  /** The file of `--config`; it must be there. */
  readonly file?: string | undefined;
  /** The process's environment. */
  readonly env: Env;
  /** Settings of the command line; they win over everything else. */
  readonly overrides?: SettingOverrides;
  /** The working directory, where `sluice.yaml` and `.env` are; the process's own when left out. */
  readonly folder?: string;
  /** How files are read; the machine's when left out. */
  readonly files?: ConfigFiles;
}

/** A whole valid configuration, or all that is wrong. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Sentences the operator should read at the start, for example that answers are simulated. */
      readonly notices: readonly string[];
      /** The file that was read, as it was named; undefined when there is none. */
      readonly file: string | undefined;
    }
  | {
      readonly ok: false;
      /** Never empty; in the order of the file, as far as that goes. */
      readonly problems: readonly ConfigProblem[];
      readonly file: string | undefined;
    };

const DEFAULT_FILE = "sluice.yaml";

/**
 * Reads the configuration. The environment is `.env` of the working directory with the
 * real environment over it. The file is `file`, else `SLUICE_CONFIG`, else `sluice.yaml`
 * when it is there, else none. Never throws for what files and variables hold.
 */
export function loadConfig(options: LoadOptions): LoadResult {
  const folder = resolve(options.folder ?? ".");
  const files = options.files ?? machineFiles;
  const problems: ConfigProblem[] = [];

  const dotenv = readDotenvFile(folder, files);
  problems.push(...dotenv.problems);
  const env: Env = { ...dotenv.values, ...dropUndefined(options.env) };

  const named = options.file ?? (env.SLUICE_CONFIG || undefined);
  const name = named ?? DEFAULT_FILE;
  const path = resolve(folder, name);
  const content = files.readText(path);
  const file = named === undefined && content.kind === "missing" ? undefined : name;
  if (file !== undefined && content.kind !== "text") {
    const wrong = content.kind === "missing" ? "is not there" : content.why;
    problems.push({ source: file, path: "", wrong, right: "the path of a readable YAML file" });
  }

  const read = readFile(content.kind === "text" ? content.text : "", name, env, dirname(path), files);
  problems.push(...read.problems);
  const overrides = readOverrides(env, options.overrides ?? {});
  problems.push(...overrides.problems);
  const builtIn = read.usesBuiltIn ? builtInConfig(env) : undefined;
  problems.push(...(builtIn?.problems ?? []));

  const parsed = read.parsed;
  if (problems.length > 0 || parsed === undefined) return { ok: false, problems, file };
  const own = builtIn ?? assembleCatalog(parsed.providers ?? {}, parsed.models ?? [], read.apiKeys);
  const { catalog, problems: wrongChanges } = changeCatalog(
    own,
    builtIn && parsed.catalog,
    file ?? "environment",
  );
  if (wrongChanges.length > 0) return { ok: false, problems: wrongChanges, file };
  const config = assemble(parsed, catalog, overrides.values, dirname(path));
  const clash = findAddressClash(config, file ?? "environment");
  if (clash !== undefined) return { ok: false, problems: [clash], file };
  return {
    ok: true,
    config,
    notices: [
      ...listNotices(config, builtIn !== undefined),
      ...(builtIn === undefined && parsed.catalog !== undefined
        ? ["`catalog` changes built-in models only: beside `providers` and `models` it does nothing."]
        : []),
      ...listAccessNotices(config),
      ...listNatsNotices(config),
    ],
    file,
  };
}

function readFile(text: string, name: string, env: Env, folder: string, files: ConfigFiles) {
  const source = readYaml(text, name, env);
  const value = fitToSchema(source.value ?? {}, plainSchema(), source.isInterpolated);
  const result = configSchema.safeParse(value);
  const namedFiles = readNamedFiles(value, source, folder, files);
  const hasTree = source.value !== undefined || source.problems.length === 0;
  const usesBuiltIn =
    hasTree && childValue(value, "providers") === undefined && childValue(value, "models") === undefined;
  const builtInNames = usesBuiltIn
    ? listBuiltInNames(env, listDisabled(childValue(value, "catalog")))
    : undefined;
  const problems = hasTree
    ? [
        ...source.problems,
        ...listSchemaProblems(result.error, value, source),
        ...checkReferences(value, source),
        ...checkTargets(value, source, builtInNames ?? readCatalogNames(value, source)),
        ...checkAccess(value, source),
        ...namedFiles.problems,
      ]
    : source.problems;
  return {
    parsed: result.data,
    problems: problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)),
    apiKeys: namedFiles.apiKeys,
    usesBuiltIn,
  };
}

function readDotenvFile(folder: string, files: ConfigFiles): ReturnType<typeof parseDotenv> {
  const content = files.readText(join(folder, ".env"));
  if (content.kind === "text") return parseDotenv(content.text, ".env");
  if (content.kind === "missing") return { values: {}, problems: [] };
  const right = "a readable file, or none";
  return { values: {}, problems: [{ source: ".env", path: "", wrong: content.why, right }] };
}

function assemble(file: ConfigFile, catalog: CatalogConfig, overrides: Overrides, folder: string): Config {
  return {
    server: {
      ...assembleServer(file, folder),
      ...(overrides.address && { address: overrides.address }),
      ...(overrides.adminAddress && { adminAddress: overrides.adminAddress.value }),
    },
    providers: catalog.providers,
    models: catalog.models,
    deploymentLimits: catalog.deploymentLimits,
    targets: assembleTargets(file),
    routing: assembleRouting(file),
    nats: assembleNats(file, overrides.natsServers, folder),
    telemetry: { logLevel: overrides.logLevel ?? file.telemetry.log_level },
    alerts: file.alerts && assembleAlerts(file.alerts),
    ...assembleAccess(file, folder),
  };
}

function findAddressClash({ server }: Config, source: string): ConfigProblem | undefined {
  const { address, adminAddress } = server;
  if (adminAddress === undefined || address.port === 0) return undefined;
  if (address.port !== adminAddress.port || address.host !== adminAddress.host) return undefined;
  const right = "an address of its own, or off";
  return { source, path: "server.admin_address", wrong: "is the same as server.address", right };
}

/** A variable that is not set must not hide one of `.env`. */
function dropUndefined(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
