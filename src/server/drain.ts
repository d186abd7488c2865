import type { Server as HttpServer } from "node:http";
import type { Http2Server } from "node:http2";
import type { ServerConfig } from "../config/config.ts";
import type { Clock, Logger } from "../domain/ports.ts";
import type { AdminServer } from "./admin/admin-server.ts";
import type { CallsUnderWay } from "./edge/calls-under-way.ts";
import type { FrontDoor } from "./edge/front-door.ts";
import type { Http2Sessions } from "./edge/http2-sessions.ts";
import type { ServingState } from "./health/serving-state.ts";

/** How long calls that were told to stop have before their connections are cut. */
const CANCEL_TIMEOUT_MS = 1_000;

/** How long the last answers may take to leave; a stream is over for Node before its last bytes are written. */
const LAST_BYTES_TIMEOUT_MS = 1_000;

/** How often idle keep-alive connections are closed while calls are still under way. */
const CLOSE_IDLE_INTERVAL_MS = 100;

/** Everything that a drain has to close. */
export interface DrainParts {
  readonly config: Pick<ServerConfig, "drainDelayMs" | "drainTimeoutMs">;
  readonly readiness: ServingState;
  readonly calls: CallsUnderWay;
  readonly front: FrontDoor;
  readonly http1: HttpServer;
  readonly http2: Http2Server;
  readonly sessions: Http2Sessions;
  readonly admin: AdminServer | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Stops a server without breaking calls, step by step. Resolves when nothing is open any more. */
export async function drain(parts: DrainParts): Promise<void> {
  const { config, calls, clock, logger } = parts;
  // 1. Tell those who choose a replica; they need time to notice, and until then calls are served.
  parts.readiness.startDraining();
  logger.info("draining", { count: calls.count });
  await wait(clock, config.drainDelayMs);
  // 2. Take nothing new. Callers are sent elsewhere, over every connection they have.
  calls.refuseNew();
  parts.front.stopAccepting();
  parts.sessions.leave();
  const stopClosing = closeIdleRepeatedly(parts.http1, clock);
  // 3. Let the calls under way end.
  await waitUntilEmpty(calls, clock, config.drainTimeoutMs);
  // 4. Stop what is left.
  if (calls.count > 0) {
    logger.warn("calls were cut short by the drain timeout", { count: calls.count });
    calls.cancelAll();
    await waitUntilEmpty(calls, clock, CANCEL_TIMEOUT_MS);
  }
  // 5. Nobody is served any more; the operators' view goes last.
  stopClosing();
  parts.http2.close();
  parts.http1.close();
  await parts.sessions.close(LAST_BYTES_TIMEOUT_MS);
  await parts.sessions.destroy();
  await parts.front.destroy();
  await parts.admin?.close();
  logger.info("drained");
}

function wait(clock: Clock, delayMs: number): Promise<void> {
  return delayMs === 0 ? Promise.resolve() : new Promise((resolve) => clock.timer(delayMs, resolve));
}

function waitUntilEmpty(calls: CallsUnderWay, clock: Clock, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stopTimer = clock.timer(timeoutMs, resolve);
    calls.onceEmpty(() => {
      stopTimer();
      resolve();
    });
  });
}

/** A connection becomes idle when its last call ends; one round would miss those that are busy now. */
function closeIdleRepeatedly(http1: HttpServer, clock: Clock): () => void {
  let stopTimer = (): void => {};
  const round = (): void => {
    http1.closeIdleConnections();
    stopTimer = clock.timer(CLOSE_IDLE_INTERVAL_MS, round);
  };
  round();
  return () => stopTimer();
}
