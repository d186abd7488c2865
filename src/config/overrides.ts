import type { Address, TelemetryConfig } from "./config.ts";
import type { Env } from "./interpolate.ts";
import type { NatsServer } from "./nats-config.ts";
import type { ConfigProblem } from "./problem.ts";
import { logLevel } from "./schema/config-schema.ts";
import { ADDRESS_RIGHT, parseAddress } from "./values/address.ts";
import { parseNatsUrls } from "./values/nats-url.ts";
import { type Parsed, readAs, refuse } from "./values/parsed.ts";

/** Settings as text, from the flags `--address`, `--admin-address` and `--log-level`. */
export interface SettingOverrides {
  readonly address?: string | undefined;
  readonly adminAddress?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** Settings that win over the file. */
export interface Overrides {
  readonly address: Address | undefined;
  /** `{ value: undefined }` means off. */
  readonly adminAddress: { readonly value: Address | undefined } | undefined;
  readonly logLevel: TelemetryConfig["logLevel"] | undefined;
  readonly natsServers: readonly NatsServer[] | undefined;
}

/** The variables that configure Sluice itself, and what each does, as docs/configuration.md lists them. */
export const SLUICE_VARIABLES = {
  SLUICE_CONFIG: "The configuration file; `--config` wins over it.",
  SLUICE_ADDRESS: "In place of `server.address`; `--address` wins over it.",
  SLUICE_ADMIN_ADDRESS: "In place of `server.admin_address`; `--admin-address` wins over it.",
  SLUICE_LOG_LEVEL: "In place of `telemetry.log_level`; `--log-level` wins over it.",
  NATS_URL: "In place of `nats.servers`, with commas between several; alone it is enough to share over NATS.",
} as const;

/** Reads the settings of the command line and, where there are none, of the environment. Empty variables count as unset. */
export function readOverrides(
  env: Env,
  flags: SettingOverrides,
): { readonly values: Overrides; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];

  function read<T>(
    flag: string,
    flagText: string | undefined,
    variable: keyof typeof SLUICE_VARIABLES,
    parse: (text: string) => Parsed<T>,
  ): T | undefined {
    const isFlag = flagText !== undefined;
    const text = isFlag ? flagText : env[variable] || undefined;
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    problems.push({
      source: isFlag ? "command line" : "environment",
      path: isFlag ? flag : variable,
      wrong: parsed.wrong,
      right: parsed.right,
    });
    return undefined;
  }

  const values: Overrides = {
    address: read("--address", flags.address, "SLUICE_ADDRESS", parseAddress),
    adminAddress: read("--admin-address", flags.adminAddress, "SLUICE_ADMIN_ADDRESS", parseAddressOrOff),
    logLevel: read("--log-level", flags.logLevel, "SLUICE_LOG_LEVEL", parseLogLevel),
    natsServers: read("", undefined, "NATS_URL", parseNatsUrls),
  };
  return { values, problems };
}

function parseAddressOrOff(text: string): Parsed<{ readonly value: Address | undefined }> {
  if (text === "off") return readAs({ value: undefined });
  const parsed = parseAddress(text);
  return parsed.ok ? readAs({ value: parsed.value }) : refuse(parsed.wrong, `${ADDRESS_RIGHT}; or off`);
}

function parseLogLevel(text: string): Parsed<TelemetryConfig["logLevel"]> {
  const level = logLevel.options.find((option) => option === text);
  return level === undefined ? refuse("is not a level", logLevel.options.join(", ")) : readAs(level);
}
