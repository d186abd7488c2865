import type { RouteError } from "../../domain/errors.ts";
import { answerRouteError } from "../../openai/error-answer.ts";
import type { Wire } from "../edge/wire.ts";

/** Answers a door's request that the edge refuses before the door hears of it, as the door would answer it. Returns the HTTP status. */
export function answerRefused(wire: Wire, error: RouteError): number {
  const { status, headers, body } = answerRouteError(error);
  if (wire.closed) return status;
  wire.writeHead(status, { ...headers, "content-length": String(Buffer.byteLength(body)) });
  if (wire.request.method !== "HEAD") wire.write(body);
  wire.end();
  return status;
}
