import type { Address, ServerConfig } from "../../config/config.ts";
import type { Clock, Logger, Random } from "../../domain/ports.ts";
import type { RpcMethod } from "../../service/call.ts";
import { type Admission, openAdmission } from "../edge/admission.ts";
import { CorsPolicy } from "../edge/cors.ts";
import { closePort, openPort } from "../edge/open-port.ts";
import { SiteGuard } from "../edge/site-guard.ts";
import type { ServingState } from "../health/serving-state.ts";
import { RpcListener } from "../rpc/rpc-listener.ts";
import type { EncodeError } from "../rpc/server-call.ts";
import { createAdminPages, type MetricsPage } from "./admin-pages.ts";

/** A running admin server. */
export interface AdminServer {
  readonly address: Address;
  /** As `RunningServer.reloadCertificates`. */
  reloadCertificates(): Promise<void>;
  /** Breaks off what is open and resolves when nothing is. */
  close(): Promise<void>;
}

/** What is served to operators and Prometheus. */
export interface AdminParts {
  readonly address: Address;
  readonly config: ServerConfig;
  readonly metrics: MetricsPage | undefined;
  readonly methods: readonly RpcMethod[];
  readonly readiness: ServingState;
  /** See `AdminPagesParts`. */
  readonly describeHealth: (() => string | undefined) | undefined;
  /** Who may call the methods and see the pages; undefined admits everyone. */
  readonly admission: Admission | undefined;
  readonly encodeError: EncodeError;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Serves `/metrics`, `/livez` and `/readyz`, and the methods over gRPC, gRPC-Web and Connect,
 * behind the same edge as the callers' port, with its certificate or in cleartext. A drain of the server leaves it
 * alone: operators see to the end. Rejects when the address cannot be bound.
 */
export async function startAdminServer(parts: AdminParts): Promise<AdminServer> {
  const { address, methods, encodeError, clock, random } = parts;
  const config: ServerConfig = { ...parts.config, tls: parts.config.adminTls ? parts.config.tls : undefined };
  const logger = quietPages(parts.logger);
  const rpcs = new RpcListener({ maxRequestBytes: config.maxRequestBytes, encodeError, logger }, methods);
  const port = await openPort({
    address,
    config,
    rpcs,
    doors: [createAdminPages(parts)],
    endlessMethods: new Set(),
    admission: parts.admission ?? openAdmission,
    cors: new CorsPolicy([]),
    guard: new SiteGuard({
      config,
      boundHost: address.host,
      // With credentials too: some of its pages may be open to anyone.
      asksCredentials: false,
      corsOrigins: [],
    }),
    clock,
    random,
    logger,
  });
  const { front } = port;
  return {
    address: front.address,
    reloadCertificates: () => front.reloadCertificates(),
    close: () => closePort(port),
  };
}

/** Probes and scrapes come every few seconds for ever: their lines are for debugging. */
function quietPages(logger: Logger): Logger {
  return {
    debug: (message, fields) => logger.debug(message, fields),
    info(message, fields) {
      if (fields?.protocol === "http") logger.debug(message, fields);
      else logger.info(message, fields);
    },
    warn: (message, fields) => logger.warn(message, fields),
    error: (message, fields) => logger.error(message, fields),
  };
}
