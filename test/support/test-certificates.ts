import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TlsConfig } from "../../src/config/config.ts";

/** A self-signed certificate for localhost and 127.0.0.1, on disk and as text. */
export interface TestCertificate {
  readonly tls: TlsConfig;
  /** The PEM text that clients trust. */
  readonly ca: string;
  /** Deletes the files. */
  remove(): Promise<void>;
}

/** Makes a certificate with the `openssl` program; Node can read certificates but not make them. */
export async function makeTestCertificate(): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
  const certificateFile = join(folder, "certificate.pem");
  const privateKeyFile = join(folder, "key.pem");
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ...["-keyout", privateKeyFile, "-out", certificateFile],
  ]);
  return {
    tls: { certificateFile, privateKeyFile },
    ca: await readFile(certificateFile, "utf8"),
    remove: () => rm(folder, { recursive: true }),
  };
}
