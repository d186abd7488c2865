import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Address } from "../../config/config.ts";
import type { Logger } from "../../domain/ports.ts";
import { describeError } from "../edge/describe-error.ts";
import { listen, readBoundAddress } from "../edge/front-door.ts";
import { inspectRequest } from "../edge/inspect-request.ts";
import type { ServingState } from "../health/serving-state.ts";

/** The text of `/metrics`. */
export interface MetricsPage {
  readonly contentType: string;
  render(): string | Promise<string>;
}

/** A running admin server. */
export interface AdminServer {
  readonly address: Address;
  /** Breaks off what is open and resolves when nothing is. */
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What is served to operators and Prometheus. */
export interface AdminParts {
  readonly address: Address;
  readonly maxHeaderBytes: number;
  readonly metrics: MetricsPage | undefined;
  readonly readiness: ServingState;
  readonly logger: Logger;
}

/** Serves `/metrics`, `/livez` and `/readyz`. Rejects when the address cannot be bound. */
export async function startAdminServer(parts: AdminParts): Promise<AdminServer> {
  const server = createServer({ maxHeaderSize: parts.maxHeaderBytes, headersTimeout: 10_000 });
  server.on("request", (request, response) => void answer(parts, request, response));
  await listen(server, parts.address);
  return {
    address: readBoundAddress(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(parts: AdminParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.on("error", () => {});
  response.on("error", () => {});
  request.resume();
  let page: Page;
  try {
    page = await choosePage(parts, request);
  } catch (error) {
    parts.logger.error("an admin page failed", {
      error: describeError(error),
    });
    page = makeText(500, "internal error\n");
  }
  const { status, contentType, body } = page;
  const headers = { "content-type": contentType, "content-length": Buffer.byteLength(body) };
  response.writeHead(status, status === 405 ? { ...headers, allow: "GET, HEAD" } : headers);
  response.end(request.method === "HEAD" ? undefined : body);
}

async function choosePage(parts: AdminParts, request: IncomingMessage): Promise<Page> {
  const target = inspectRequest(request, { maxHeaderBytes: parts.maxHeaderBytes, scheme: "http" });
  if ("status" in target) return makeText(target.status, `${target.message}\n`);
  const { metrics } = parts;
  const known = ["/livez", "/readyz", ...(metrics === undefined ? [] : ["/metrics"])].includes(target.path);
  if (!known) return makeText(404, "not found\n");
  if (target.httpMethod !== "GET" && target.httpMethod !== "HEAD") return makeText(405, "use GET\n");
  if (target.path === "/livez") return makeText(200, "ok\n");
  if (target.path === "/readyz") {
    return parts.readiness.serving ? makeText(200, "ok\n") : makeText(503, "not serving\n");
  }
  return { status: 200, contentType: metrics?.contentType ?? "", body: (await metrics?.render()) ?? "" };
}

function makeText(status: number, body: string): Page {
  return { status, contentType: "text/plain; charset=utf-8", body };
}
