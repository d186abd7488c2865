/**
 * The program that the conformance runner starts, once per set of server properties: reads what
 * the server must be from standard input, starts Sluice's own server with the conformance service
 * on it, says where it listens, and serves until SIGTERM.
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type ServerCompatRequest,
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "../.cache/conformance/gen/connectrpc/conformance/v1/server_compat_pb.ts";
import type { TlsConfig } from "../src/config/config.ts";
import { DEFAULT_SERVER_LIMITS } from "../src/config/server-limits.ts";
import { systemClock } from "../src/lib/clock.ts";
import { type Admission, openAdmission } from "../src/server/edge/admission.ts";
import { ServingState } from "../src/server/health/serving-state.ts";
import { startServer } from "../src/server/start-server.ts";
import { encodeError } from "../src/service/encode-error.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { conformanceMethods, jsonOptions, registerConformanceService } from "./conformance-service.ts";

/** The length before each message between the runner and its programs: four bytes, big-endian. */
const LENGTH_BYTES = 4;

/** The limit of the default configuration, where the runner names none. */
const DEFAULT_MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/** Admits only callers that proved a certificate. */
const certificateAdmission: Admission = {
  admit: ({ certificate }) =>
    certificate === undefined
      ? {
          ok: false,
          error: { reason: "UNAUTHENTICATED", message: "a certificate is needed" },
          why: "no certificate",
          caller: undefined,
        }
      : { ok: true, caller: undefined },
};

/** The cases count the details of each error, and know nothing of those that Sluice adds. */
const encodeErrorWithoutDetails: typeof encodeError = (error, requestId) => ({
  ...encodeError(error, requestId),
  details: [],
});

async function readRequest(): Promise<ServerCompatRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length < LENGTH_BYTES) continue;
    const end = LENGTH_BYTES + bytes.readUInt32BE(0);
    if (bytes.length >= end) return fromBinary(ServerCompatRequestSchema, bytes.subarray(LENGTH_BYTES, end));
  }
  throw new Error("the runner sent no request");
}

/** Our configuration names files. */
async function writeTlsFiles(request: ServerCompatRequest, folder: string): Promise<TlsConfig | undefined> {
  if (!request.useTls) return undefined;
  const certificateFile = join(folder, "certificate.pem");
  const privateKeyFile = join(folder, "key.pem");
  await writeFile(certificateFile, request.serverCreds?.cert ?? "");
  await writeFile(privateKeyFile, request.serverCreds?.key ?? "", { mode: 0o600 });
  if (request.clientTlsCert.length === 0) return { certificateFile, privateKeyFile };
  const clientCaFile = join(folder, "clients.pem");
  await writeFile(clientCaFile, request.clientTlsCert);
  return { certificateFile, privateKeyFile, clientCaFile };
}

const request = await readRequest();
const folder = await mkdtemp(join(tmpdir(), "sluice-conformance-"));
const tls = await writeTlsFiles(request, folder);
const server = await startServer({
  config: {
    address: { host: "127.0.0.1", port: 0 },
    adminAddress: undefined,
    tls,
    adminTls: false,
    reflection: false,
    maxRequestBytes: request.messageReceiveLimit || DEFAULT_MAX_REQUEST_BYTES,
    maxHeaderBytes: 16 * 1024,
    defaultTimeoutMs: 120_000,
    defaultStreamTimeoutMs: 600_000,
    maxTimeoutMs: 3_600_000,
    drainDelayMs: 0,
    drainTimeoutMs: 0,
    limits: DEFAULT_SERVER_LIMITS,
  },
  methods: conformanceMethods,
  jsonOptions,
  doors: [],
  files: [],
  admission: request.clientTlsCert.length > 0 ? certificateAdmission : openAdmission,
  extraRoutes: registerConformanceService,
  readiness: new ServingState(true),
  clock: systemClock,
  logger: createLogger("error", process.stderr),
  encodeError: encodeErrorWithoutDetails,
});
const response = toBinary(
  ServerCompatResponseSchema,
  create(ServerCompatResponseSchema, {
    host: server.address.host,
    port: server.address.port,
    ...(tls === undefined ? {} : { pemCert: await readFile(tls.certificateFile) }),
  }),
);
await rm(folder, { recursive: true });
const length = Buffer.alloc(LENGTH_BYTES);
length.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([length, response]));
process.once("SIGTERM", () => {
  process.stdin.destroy();
  void server.drain();
});
