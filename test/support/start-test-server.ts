import type { ServerConfig } from "../../src/config/config.ts";
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from "../../src/config/server-limits.ts";
import type { LogFields, Logger } from "../../src/domain/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { ServingState } from "../../src/server/health/serving-state.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server/start-server.ts";
import { encodeError } from "../../src/service/encode-error.ts";

/** One line of a log that tests can look at. */
export interface LogLine extends LogFields {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

/** A logger that keeps its lines. */
export class MemoryLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: "debug", message, ...fields });
  }

  info(message: string, fields?: LogFields): void {
    this.lines.push({ level: "info", message, ...fields });
  }

  warn(message: string, fields?: LogFields): void {
    this.lines.push({ level: "warn", message, ...fields });
  }

  error(message: string, fields?: LogFields): void {
    this.lines.push({ level: "error", message, ...fields });
  }

  /** The lines with this message. */
  find(message: string): LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }
}

/** A server on a free port of 127.0.0.1, and what tests need to talk to it. */
export interface TestServer extends RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>`, or https where the server has a certificate. */
  readonly baseUrl: string;
  readonly logger: MemoryLogger;
  readonly readiness: ServingState;
  readonly config: ServerConfig;
}

/** Everything of `ServerOptions` may be given; the rest is quick, ready, and serves nothing. */
export interface TestServerOptions extends Partial<Omit<ServerOptions, "config" | "logger" | "readiness">> {
  readonly config?: Partial<ServerConfig>;
  /** What is left out is as shipped. */
  readonly limits?: Partial<ServerLimits>;
}

const config: ServerConfig = {
  address: { host: "127.0.0.1", port: 0 },
  adminAddress: undefined,
  tls: undefined,
  adminTls: false,
  reflection: true,
  maxRequestBytes: 64 * 1024,
  maxHeaderBytes: 16 * 1024,
  defaultTimeoutMs: 5_000,
  defaultStreamTimeoutMs: 10_000,
  maxTimeoutMs: 60_000,
  drainDelayMs: 0,
  drainTimeoutMs: 200,
  limits: DEFAULT_SERVER_LIMITS,
};

/** Starts a server with the real edge, on the real clock unless another is given. End it with `drain`. */
export async function startTestServer({ limits, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const logger = new MemoryLogger();
  const readiness = new ServingState(true);
  const merged = { ...config, ...options.config, limits: { ...config.limits, ...limits } };
  const server = await startServer({
    methods: [],
    doors: [],
    files: [],
    clock: systemClock,
    encodeError,
    ...options,
    config: merged,
    readiness,
    logger,
  });
  const { port } = server.address;
  const scheme = merged.tls === undefined ? "http" : "https";
  return { ...server, port, baseUrl: `${scheme}://127.0.0.1:${port}`, logger, readiness, config: merged };
}
