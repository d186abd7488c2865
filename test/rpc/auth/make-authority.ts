import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate and its key as PEM text, and as files. */
export interface IssuedCertificate {
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

/** An authority that signs certificates, made with the `openssl` program. */
export interface TestAuthority {
  /** Its own certificate, for those who trust it. */
  readonly ca: Buffer;
  readonly caFile: string;
  /** Signs a certificate with these names, for example `URI:spiffe://example.org/chat`; empty for none. */
  issue(subjectAltName: string, days?: number): Promise<IssuedCertificate>;
  /** Deletes the files. */
  remove(): Promise<void>;
}

/** Makes an authority of its own, whom nobody else trusts. */
export async function makeTestAuthority(): Promise<TestAuthority> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-authority-"));
  const caFile = join(folder, "ca.pem");
  const caKeyFile = join(folder, "ca.key");
  await run("openssl", [
    ...["req", "-x509", ...NEW_KEY, "-days", "1", "-subj", "/CN=test authority"],
    ...["-keyout", caKeyFile, "-out", caFile],
  ]);
  let issuedCount = 0;
  return {
    ca: await readFile(caFile),
    caFile,
    async issue(subjectAltName, days = 1) {
      const base = join(folder, `${issuedCount++}`);
      const [certificateFile, privateKeyFile] = [`${base}.pem`, `${base}.key`];
      const request = ["req", "-new", ...NEW_KEY, "-subj", "/CN=chat", "-keyout", privateKeyFile];
      await run("openssl", [...request, "-out", `${base}.csr`]);
      const extensions = subjectAltName === "" ? "" : `subjectAltName=${subjectAltName}\n`;
      await writeFile(`${base}.ext`, extensions);
      await run("openssl", [
        ...["x509", "-req", "-in", `${base}.csr`, "-CA", caFile, "-CAkey", caKeyFile, "-CAcreateserial"],
        ...["-days", `${days}`, "-extfile", `${base}.ext`, "-out", certificateFile],
      ]);
      return {
        certificate: await readFile(certificateFile),
        privateKey: await readFile(privateKeyFile),
        certificateFile,
        privateKeyFile,
      };
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
