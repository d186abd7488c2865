import type { Clock, Logger } from "../domain/ports.ts";
import { CallerGate, type GateAnswer, type GateRequest } from "./caller-gate.ts";
import { CertificateIdentities, type CertificateIdentity } from "./certificate-identity.ts";
import { KeyFileWatch } from "./key-file-watch.ts";
import { KeyStore } from "./key-store.ts";
import { readKeyFile } from "./read-key-file.ts";

/** What the operator configured of callers. */
export interface AuthOptions {
  /** Path of the keys file; undefined means that nobody has a key. */
  readonly keysFile: string | undefined;
  readonly certificateIdentities: readonly CertificateIdentity[];
  /** Whether reflection needs no credential. */
  readonly isReflectionOpen: boolean;
  /** Whether the page `/metrics` needs no credential. */
  readonly isMetricsPageOpen: boolean;
}

/** Caller identity at work. */
export interface CallerAuth {
  /** Whether a request may go on; see `CallerGate.admit`. */
  admit(request: GateRequest): GateAnswer;
  /** Reads the keys file again at once, as after SIGHUP. Never rejects. */
  reload(): Promise<void>;
  /** Stops watching the file. */
  close(): void;
}

/** Starts caller identity. Rejects, with the path and what is wrong, when the keys file cannot be used: fail closed. */
export async function openCallerAuth(
  options: AuthOptions,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<CallerAuth> {
  const { keysFile: path, isReflectionOpen, isMetricsPageOpen } = options;
  const identities = new CertificateIdentities(options.certificateIdentities);
  if (path === undefined) {
    const gate = new CallerGate({ keys: undefined, identities, isReflectionOpen, isMetricsPageOpen });
    return { admit: (request) => gate.admit(request), reload: async () => {}, close: () => {} };
  }
  const file = await readKeyFile(path);
  if (!file.ok) throw new Error(`the keys file ${path} ${file.problem}`);
  const store = new KeyStore(clock, file.keys);
  logger.info("API keys loaded", { file: path, count: store.keyCount });
  const watch = new KeyFileWatch({ path, store, signature: file.signature, clock, logger });
  const gate = new CallerGate({ keys: store, identities, isReflectionOpen, isMetricsPageOpen });
  return {
    admit: (request) => gate.admit(request),
    reload: () => watch.reload(),
    close: () => watch.close(),
  };
}
