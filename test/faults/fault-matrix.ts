/** The whole matrix: starts the fault server, opens what dialing needs, and runs the cells dialect by dialect. */

import { readFile } from "node:fs/promises";
import { makeTestAuthority } from "../rpc/auth/make-authority.ts";
import { makeTestCertificate } from "../support/test-certificates.ts";
import { DIALECT_NAMES } from "./canned-answer.ts";
import { DIALING_FAULTS } from "./catalogue/dialing-faults.ts";
import { type Cell, listCells } from "./fault-plan.ts";
import { FaultProcess } from "./fault-process.ts";
import type { OriginOf } from "./fault-sluice.ts";
import type { ListenerCertificates, PemPair } from "./listeners.ts";
import { type CellResult, runFaults } from "./run-faults.ts";

/** Which cells, and how. */
export interface MatrixOptions {
  wants?(cell: Omit<Cell, "number">): boolean;
  readonly concurrency: number;
  /** A nats-server that every Sluice shares with others over; undefined leaves them alone. */
  readonly natsUrl?: string | undefined;
  onResult?(result: CellResult): void;
}

/** What came of it. */
export interface MatrixResult {
  readonly results: readonly CellResult[];
  /** What is wrong beside the cells, with the dialect in front. */
  readonly problems: readonly string[];
}

/** Runs the cells that are wanted, one dialect after the other, each against a Sluice of its own. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixResult> {
  const results: CellResult[] = [];
  const problems: string[] = [];
  const dials = listCells(DIALECT_NAMES, options.wants).some(({ moment }) => moment === "connecting");
  const certificates = dials ? await makeCertificates() : undefined;
  try {
    for (const dialect of DIALECT_NAMES) {
      const cells = listCells([dialect], options.wants);
      if (cells.length === 0) continue;
      // A new one each time: nothing of one dialect can be held against the next.
      const server = await FaultProcess.start();
      try {
        const run = await runFaults(cells, {
          server,
          originOf: await openOrigins(cells, server, certificates?.pairs),
          concurrency: options.concurrency,
          env: {
            ...(certificates && { NODE_EXTRA_CA_CERTS: certificates.caFile }),
            ...(options.natsUrl === undefined ? {} : { NATS_URL: options.natsUrl }),
          },
          ...(options.onResult && { onResult: options.onResult }),
        });
        results.push(...run.results);
        problems.push(...run.problems.map((problem) => `${dialect}: ${problem}`));
      } finally {
        await server.stop();
      }
    }
  } finally {
    await certificates?.remove();
  }
  return { results, problems };
}

/** Opens a listener for each fault of dialing that is among the cells. */
async function openOrigins(
  cells: readonly Cell[],
  server: FaultProcess,
  certificates: ListenerCertificates | undefined,
): Promise<OriginOf> {
  const origins = new Map<string, string>();
  for (const { name, listener } of DIALING_FAULTS) {
    if (!cells.some(({ fault }) => fault.name === name)) continue;
    const port = await server.listen(name, listener, certificates);
    // RFC 6761 keeps the name from ever existing.
    const host = listener === "no-such-name" ? "nobody.invalid:80" : `127.0.0.1:${port}`;
    origins.set(name, `${listener.startsWith("tls-") ? "https" : "http"}://${host}`);
  }
  return ({ fault }) => origins.get(fault.name) ?? `http://127.0.0.1:${server.port}`;
}

interface MadeCertificates {
  readonly pairs: ListenerCertificates;
  /** Whom the Sluice trusts beside the usual authorities. */
  readonly caFile: string;
  remove(): Promise<void>;
}

async function makeCertificates(): Promise<MadeCertificates> {
  const authority = await makeTestAuthority();
  const stranger = await makeTestCertificate();
  const issue = async (name: string, days?: number): Promise<PemPair> => {
    const { certificate, privateKey } = await authority.issue(name, days);
    return { certificate: certificate.toString(), privateKey: privateKey.toString() };
  };
  const pairs: ListenerCertificates = {
    good: await issue("IP:127.0.0.1"),
    expired: await issue("IP:127.0.0.1", -1),
    otherName: await issue("DNS:somebody-else.invalid"),
    selfSigned: {
      certificate: await readFile(stranger.tls.certificateFile, "utf8"),
      privateKey: await readFile(stranger.tls.privateKeyFile, "utf8"),
    },
  };
  return {
    pairs,
    caFile: authority.caFile,
    async remove() {
      await Promise.all([authority.remove(), stranger.remove()]);
    },
  };
}
