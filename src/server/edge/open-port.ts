import type { Server as HttpServer } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { Address } from "../../config/config.ts";
import type { Random } from "../../domain/ports.ts";
import { CallsUnderWay } from "./calls-under-way.ts";
import { ConnectionAges } from "./connection-age.ts";
import { EdgeListener, type EdgeParts } from "./edge-listener.ts";
import { FrontDoor } from "./front-door.ts";
import { createHttp1Server } from "./http1-server.ts";
import { stateHttp2Options } from "./http2-options.ts";
import { Http2Sessions } from "./http2-sessions.ts";

/** What a port is made of. */
export interface PortParts extends Omit<EdgeParts, "ages" | "calls"> {
  readonly address: Address;
  /** For the ages of connections. */
  readonly random: Random;
}

/** A port that takes requests: HTTP/1.1 and HTTP/2, behind one edge. */
export interface OpenPort {
  readonly front: FrontDoor;
  readonly http1: HttpServer;
  readonly http2: Http2Server;
  readonly sessions: Http2Sessions;
  readonly calls: CallsUnderWay;
}

/** Opens a port with the edge before everything. Rejects when it cannot be bound, or the certificate cannot be read; then nothing stays open. */
export async function openPort({ address, random, ...parts }: PortParts): Promise<OpenPort> {
  const { config, clock, logger } = parts;
  const { limits } = config;
  const calls = new CallsUnderWay();
  const ages = new ConnectionAges(limits.maxAgeMs, random);
  const edge = new EdgeListener({ ...parts, calls, ages });
  const http1 = createHttp1Server(
    { maxHeaderBytes: config.maxHeaderBytes, limits, clock },
    (request, response) => edge.listen(request, response),
  );
  const listenHttp2 = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    edge.listen(request, response);
  };
  const http2 = createHttp2Server(stateHttp2Options(config.maxHeaderBytes, limits), listenHttp2);
  // Without listeners Node answers these itself, and their streams stay open for as long as the caller likes.
  http2.on("checkExpectation", listenHttp2);
  http2.on("connect", listenHttp2);
  const sessions = new Http2Sessions(http2, { limits, clock, random, logger });
  try {
    const servers = { http1, http2 };
    const front = await FrontDoor.open(address, config.tls, { servers, limits, ages, clock, logger });
    return { front, http1, http2, sessions, calls };
  } catch (error) {
    http1.close();
    throw error;
  }
}

/** Breaks off what is open and resolves when nothing is. */
export async function closePort({ front, http1, http2, sessions }: OpenPort): Promise<void> {
  http2.close();
  http1.close();
  await sessions.destroy();
  await front.destroy();
}
