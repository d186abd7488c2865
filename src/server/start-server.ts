import type { DescFile } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.ts";
import { Health } from "../../gen/health/v1/health_pb.ts";
import type { Address, ServerConfig } from "../config/config.ts";
import type { Clock, Logger, Random } from "../domain/ports.ts";
import { systemRandom } from "../lib/random.ts";
import type { RpcMethod } from "../service/call.ts";
import type { HttpDoor } from "../service/http-exchange.ts";
import type { MetricsPage } from "./admin/admin-pages.ts";
import { type AdminServer, startAdminServer } from "./admin/admin-server.ts";
import { describeExtraCall, type ExtraRoutes } from "./connect/extra-call.ts";
import { REFLECTION_SERVICES, registerReflection } from "./connect/register-reflection.ts";
import { drain } from "./drain.ts";
import { type Admission, openAdmission } from "./edge/admission.ts";
import { CorsPolicy } from "./edge/cors.ts";
import { type OpenPort, openPort } from "./edge/open-port.ts";
import { formatAddress } from "./edge/peer-address.ts";
import { SiteGuard } from "./edge/site-guard.ts";
import { makeHealthMethods } from "./health/health-methods.ts";
import type { ServingState } from "./health/serving-state.ts";
import { warnOfOpenAddresses } from "./open-address-warning.ts";
import { nameMethod } from "./rpc/method-name.ts";
import { RpcListener, type RpcParts } from "./rpc/rpc-listener.ts";
import type { EncodeError } from "./rpc/server-call.ts";
import type { ServerMethod } from "./rpc/server-method.ts";

/** What a server serves, and the ports through which it does. */
export interface ServerOptions {
  readonly config: ServerConfig;
  readonly methods: readonly ServerMethod[];
  readonly doors: readonly HttpDoor[];
  /** Served by reflection beside the files of the methods, health and google.rpc. */
  readonly files: readonly DescFile[];
  /** Driven by whoever knows whether calls can be served; a drain ends it. */
  readonly readiness: ServingState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly encodeError: EncodeError;
  /** The page behind `/metrics` of the admin address; undefined answers 404. */
  readonly metrics?: MetricsPage;
  /** A line for people below the verdict of `/readyz`, which does not depend on it; undefined leaves it out. */
  readonly describeHealth?: () => string | undefined;
  /** Methods of the admin address. */
  readonly adminMethods?: readonly RpcMethod[];
  /** Who may call what; undefined admits everyone. */
  readonly admission?: Admission | undefined;
  /** Origins of web pages that may call; undefined means none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Chance, for the ages of connections; undefined takes the machine's. */
  readonly random?: Random;
  /** Which types messages may hold in an Any, for JSON. */
  readonly jsonOptions?: RpcParts["jsonOptions"];
  /** Methods beside `methods` that take streams from callers. */
  readonly extraRoutes?: ExtraRoutes;
  /** Full names of streams without an end of their own: a drain stops them at once instead of waiting for them. */
  readonly endlessMethods?: readonly string[];
}

/** A server that takes calls. */
export interface RunningServer {
  readonly address: Address;
  readonly adminAddress: Address | undefined;
  /**
   * Reads the files of certificates and keys again; connections from now on get the new
   * ones. Rejects, and keeps the old ones, when they cannot be used. Nothing without TLS.
   */
  reloadCertificates(): Promise<void>;
  /**
   * Stops without breaking calls: says NOT_SERVING, waits `drainDelayMs`, takes nothing
   * new, waits up to `drainTimeoutMs` for the calls under way, stops the rest. Resolves
   * when nothing is open. Later calls return the same promise.
   */
  drain(): Promise<void>;
}

/**
 * Starts serving gRPC, gRPC-Web, Connect and the doors on one port, and the admin
 * pages and methods on another. Rejects when an address cannot be bound or a certificate cannot be
 * read; then nothing stays open.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, clock, logger, readiness, corsOrigins = [] } = options;
  warnOfOpenAddresses(options.admission === undefined ? [config.address, config.adminAddress] : [], logger);
  const random = options.random ?? systemRandom;
  const admin = await openAdmin(options, random);
  let port: OpenPort;
  try {
    port = await openPort({
      address: config.address,
      config,
      rpcs: makeRpcListener(options),
      doors: options.doors,
      endlessMethods: new Set([
        nameMethod(Health.method.watch),
        ...REFLECTION_SERVICES.map((service) => nameMethod(service.method.serverReflectionInfo)),
        ...(options.endlessMethods ?? []),
      ]),
      admission: options.admission ?? openAdmission,
      cors: new CorsPolicy(corsOrigins),
      guard: new SiteGuard({
        config,
        boundHost: config.address.host,
        asksCredentials: options.admission !== undefined,
        corsOrigins,
      }),
      random,
      clock,
      logger,
    });
  } catch (error) {
    await admin?.close();
    throw error;
  }
  const { front } = port;
  logger.info("listening", { address: formatAddress(front.address.host, front.address.port) });
  let draining: Promise<void> | undefined;
  return {
    address: front.address,
    adminAddress: admin?.address,
    async reloadCertificates() {
      await front.reloadCertificates();
      await admin?.reloadCertificates();
    },
    drain() {
      draining ??= drain({ config, readiness, ...port, admin, clock, logger });
      return draining;
    },
  };
}

function makeRpcListener(options: ServerOptions): RpcListener {
  const { config, encodeError, logger, extraRoutes, jsonOptions } = options;
  const served = new Set(options.methods.map(({ method }) => method.parent));
  const serviceNames = [...served, Health, ...(config.reflection ? REFLECTION_SERVICES : [])].map(
    (service) => service.typeName,
  );
  const methods: ServerMethod[] = [...options.methods, ...makeHealthMethods(options.readiness, serviceNames)];
  const files = [
    ...options.files,
    ...[...served, Health, ...REFLECTION_SERVICES].map((service) => service.file),
    file_google_rpc_error_details,
    file_google_rpc_status,
  ];
  const parts = { maxRequestBytes: config.maxRequestBytes, encodeError, logger, jsonOptions };
  return new RpcListener(parts, methods, [
    ...(config.reflection
      ? [
          (router: Parameters<typeof registerReflection>[0]) =>
            registerReflection(router, files, serviceNames, config.maxRequestBytes),
        ]
      : []),
    (router) => extraRoutes?.(router, (context) => describeExtraCall(context, encodeError)),
  ]);
}

async function openAdmin(options: ServerOptions, random: Random): Promise<AdminServer | undefined> {
  const { config, readiness, describeHealth, admission, encodeError, clock, logger, metrics, adminMethods } =
    options;
  if (config.adminAddress === undefined) return undefined;
  const admin = await startAdminServer({
    address: config.adminAddress,
    config,
    metrics,
    describeHealth,
    methods: adminMethods ?? [],
    readiness,
    admission,
    encodeError,
    clock,
    random,
    logger,
  });
  logger.info("admin listening", { address: formatAddress(admin.address.host, admin.address.port) });
  return admin;
}
