/** The options of every command that calls a server, and the call they lead to. */

import { readFile } from "node:fs/promises";
import { API_KEY_OPTIONS, readApiKey } from "./api-key-option.ts";
import { type CallFailure, chooseExit } from "./call-failure.ts";
import { choosePaint, type Paint } from "./colour.ts";
import { exitCode } from "./exit-code.ts";
import { renderFailure } from "./failure-text.ts";
import type { OptionSpecs } from "./option-spec.ts";
import { parseDurationOption } from "./option-value.ts";
import type { Arguments } from "./parse-arguments.ts";
import { printable } from "./printable-text.ts";
import { type CallLimits, openRpcClient, type RpcClient } from "./rpc-client.ts";
import { DEFAULT_ADMIN_SERVER, DEFAULT_SERVER, parseServerAddress } from "./server-address.ts";
import { describeSystemError } from "./system-error.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import { readVersion } from "./version.ts";

/** What every command takes. */
export const COMMON_OPTIONS: OptionSpecs = {
  "no-colour": { type: "boolean", description: "no colours (also: --no-color, NO_COLOR, TERM=dumb)" },
  "no-color": { type: "boolean", description: "the same as --no-colour" },
  help: { type: "boolean", short: "h", description: "print this help" },
};

/** What every command takes that calls a server. */
export const CALL_OPTIONS: OptionSpecs = {
  server: {
    type: "string",
    placeholder: "HOST:PORT",
    description: `where the server is (default: SLUICE_SERVER, else ${DEFAULT_SERVER})`,
  },
  tls: { type: "boolean", description: "encrypt, trusting the system's authorities" },
  ca: {
    type: "string",
    placeholder: "FILE",
    description: "encrypt, trusting the authorities in this PEM file",
  },
  timeout: {
    type: "string",
    placeholder: "TIME",
    description: "give up after this long, for example 30s (default: the server's limit)",
  },
  ...API_KEY_OPTIONS,
};

/** Where a command finds its server when `--server` is not given: a variable, else an address. */
export interface ServerDefault {
  readonly variable: string;
  readonly address: string;
}

const CALLERS_SERVER: ServerDefault = { variable: "SLUICE_SERVER", address: DEFAULT_SERVER };

/** The operators' address, where AdminService is. */
export const ADMIN_SERVER: ServerDefault = {
  variable: "SLUICE_ADMIN_SERVER",
  address: DEFAULT_ADMIN_SERVER,
};

/** What commands take that call the admin address. */
export const ADMIN_CALL_OPTIONS: OptionSpecs = {
  ...CALL_OPTIONS,
  server: {
    type: "string",
    placeholder: "HOST:PORT",
    description: `the admin address (default: ${ADMIN_SERVER.variable}, else ${DEFAULT_ADMIN_SERVER})`,
  },
};

/** What a command needs while it calls. */
export interface CallSession {
  readonly client: RpcClient;
  readonly limits: CallLimits;
  /** For standard output. */
  readonly paint: Paint;
  /** Says what went wrong on standard error and chooses the exit code. */
  report(failure: CallFailure, headline?: string): Promise<number>;
}

/** Opens a client by the options, runs `use`, and closes it. Ctrl-C cancels the call. Throws UsageError. */
export async function withCallSession(
  args: Arguments,
  terminal: Terminal,
  use: (session: CallSession) => Promise<number>,
  { variable, address } = CALLERS_SERVER,
): Promise<number> {
  const given = args.text("server");
  const fromEnv = terminal.env[variable] || undefined;
  const server = parseServerAddress(given ?? fromEnv ?? address, given === undefined ? variable : "--server");
  const timeout = args.text("timeout");
  const timeoutMs = timeout === undefined ? undefined : parseDurationOption("timeout", timeout);
  const ca = args.text("ca");
  const rootCertificates = ca === undefined ? undefined : await readAuthorities(ca);
  const apiKey = await readApiKey(args, terminal.env);
  const isEncrypted = args.has("tls") || ca !== undefined || server.isTlsImplied;
  if (apiKey !== undefined && !isEncrypted && !server.isLoopback) {
    await terminal.stderr.write("sluice: warning: the key goes unencrypted to another machine; use --tls\n");
  }
  const client = openRpcClient({
    server,
    tls: isEncrypted ? { rootCertificates } : undefined,
    apiKey,
    version: readVersion(),
    clock: terminal.clock,
  });
  const cancelling = new AbortController();
  const stopListening = terminal.onInterrupt(() => cancelling.abort());
  const isColourRefused = refusesColour(args);
  try {
    return await use({
      client,
      limits: { timeoutMs, signal: cancelling.signal },
      paint: choosePaint(terminal.stdout, terminal.env, isColourRefused),
      async report(failure, headline) {
        if (cancelling.signal.aborted) {
          await terminal.stderr.write(`sluice: interrupted: ${headline ?? "the call was cancelled"}\n`);
          return exitCode("interrupted");
        }
        const exit = chooseExit(failure);
        const where = exit === "unreachable" ? `cannot reach ${server.authority}` : "the call failed";
        const paint = choosePaint(terminal.stderr, terminal.env, isColourRefused);
        await terminal.stderr.write(renderFailure(failure, headline ?? where, paint));
        return exitCode(exit);
      },
    });
  } finally {
    stopListening();
    client.close();
  }
}

/** Whether the user asked for no colours on the command line. */
export function refusesColour(args: Arguments): boolean {
  return args.has("no-colour") || args.has("no-color");
}

async function readAuthorities(file: string): Promise<Buffer> {
  let pem: Buffer;
  try {
    pem = await readFile(file);
  } catch (error) {
    throw new UsageError(`--ca "${printable(file)}" cannot be read: ${describeSystemError(error)}.`);
  }
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new UsageError(`--ca "${printable(file)}" holds no PEM certificate.`);
  }
  return pem;
}
