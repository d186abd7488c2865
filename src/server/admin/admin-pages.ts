import type { Logger } from "../../domain/ports.ts";
import type { HttpDoor, HttpExchange } from "../../service/http-exchange.ts";
import { describeError } from "../edge/describe-error.ts";
import type { ServingState } from "../health/serving-state.ts";

/** The text of `/metrics`. */
export interface MetricsPage {
  readonly contentType: string;
  render(): string | Promise<string>;
}

/** What the pages tell. */
export interface AdminPagesParts {
  /** Undefined means that there is no `/metrics`. */
  readonly metrics: MetricsPage | undefined;
  readonly readiness: ServingState;
  /** A line for people below the verdict of `/readyz`, which does not depend on it. */
  readonly describeHealth: (() => string | undefined) | undefined;
  readonly logger: Logger;
}

interface Page {
  readonly contentType: string;
  readonly body: string;
}

/** The door to `/metrics`, `/livez` and `/readyz`. */
export function createAdminPages(parts: AdminPagesParts): HttpDoor {
  const paths = new Set(["/livez", "/readyz", ...(parts.metrics === undefined ? [] : ["/metrics"])]);
  return {
    serves: (path) => paths.has(path),
    handle(exchange) {
      if (exchange.httpMethod !== "GET" && exchange.httpMethod !== "HEAD") {
        answer(exchange, 405, makeText("use GET\n"), { allow: "GET, HEAD" });
      } else if (exchange.path === "/livez") {
        answer(exchange, 200, makeText("ok\n"));
      } else if (exchange.path === "/readyz") {
        const isReady = parts.readiness.serving;
        const details = parts.describeHealth?.();
        const verdict = isReady ? "ok\n" : "not serving\n";
        answer(
          exchange,
          isReady ? 200 : 503,
          makeText(details === undefined ? verdict : `${verdict}${details}\n`),
        );
      } else {
        void answerMetrics(exchange, parts);
      }
    },
  };
}

async function answerMetrics(exchange: HttpExchange, { metrics, logger }: AdminPagesParts): Promise<void> {
  let page: Page;
  try {
    page = { contentType: metrics?.contentType ?? "", body: (await metrics?.render()) ?? "" };
  } catch (error) {
    logger.error("an admin page failed", { requestId: exchange.requestId, error: describeError(error) });
    answer(exchange, 500, makeText("internal error\n"));
    return;
  }
  answer(exchange, 200, page);
}

function answer(
  exchange: HttpExchange,
  status: number,
  { contentType, body }: Page,
  headers: Readonly<Record<string, string>> = {},
): void {
  exchange.respond(status, { "content-type": contentType, ...headers }, body);
}

function makeText(body: string): Page {
  return { contentType: "text/plain; charset=utf-8", body };
}
