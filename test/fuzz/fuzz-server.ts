/** A server in a process of its own, for the fuzzer: says where it listens, and measures itself when asked. */

import { create } from "@bufbuild/protobuf";
import { GetModelResponseSchema } from "../../gen/sluice/v1/model_service_pb.ts";
import { DEFAULT_SERVER_LIMITS } from "../../src/config/server-limits.ts";
import type { Logger } from "../../src/domain/ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openAdmission } from "../../src/server/edge/admission.ts";
import { ServingState } from "../../src/server/health/serving-state.ts";
import { startServer } from "../../src/server/start-server.ts";
import { encodeError } from "../../src/service/encode-error.ts";
import type { HttpDoor } from "../../src/service/http-exchange.ts";
import { makeDelta, makeMethods } from "../rpc/server/fake-methods.ts";
import { measureHeldBytes } from "../support/held-memory.ts";

/** What the server says of itself. */
export interface FuzzReport {
  readonly rssBytes: number;
  /** In use after garbage was collected. */
  readonly heldBytes: number;
  readonly requestCount: number;
  /** Handlers that were called and did not end. */
  readonly openCount: number;
  /** Lines that only a bug writes. */
  readonly bugLines: readonly string[];
}

const bugLines: string[] = [];
let requestCount = 0;
let openCount = 0;

const logger: Logger = {
  debug: () => {},
  info: (message, fields) => {
    // Where there are many of a kind, a line tells how many before it were left out.
    if (message === "call" || message === "refused") requestCount += 1 + Number(fields?.count ?? 0);
  },
  warn: () => {},
  error: (message, fields) => {
    if (bugLines.length < 20) bugLines.push(`${message}: ${fields?.error ?? fields?.code ?? ""}`);
  },
};

const door: HttpDoor = {
  serves: (path) => path.startsWith("/v1/"),
  handle: (exchange) =>
    exchange.readBody((body) => exchange.respond(typeof body === "string" ? 400 : 200, {}, "{}")),
};

const server = await startServer({
  config: {
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
    drainTimeoutMs: 500,
    // Connections that end neither way are ended within these.
    limits: {
      ...DEFAULT_SERVER_LIMITS,
      firstBytesTimeoutMs: 2_000,
      headersTimeoutMs: 2_000,
      keepAliveTimeoutMs: 2_000,
    },
  },
  methods: makeMethods({
    getModel(_name, call) {
      openCount++;
      const answer = setImmediate(() => {
        openCount--;
        call.respond(create(GetModelResponseSchema));
      });
      call.onCancel(() => {
        clearImmediate(answer);
        openCount--;
      });
    },
    stream(call) {
      openCount++;
      call.onCancel(() => {
        openCount--;
        call.fail({ reason: "CANCELLED", message: "the call was stopped" });
      });
      for (let index = 0; index < 5; index++) call.write([makeDelta(index)]);
      call.end();
      if (call.cancelled === undefined) openCount--;
    },
  }),
  doors: [door],
  // As if credentials were asked for: otherwise hosts of fuzz would be refused before anything else looks at the request.
  admission: openAdmission,
  files: [],
  readiness: new ServingState(true),
  clock: systemClock,
  logger,
  encodeError,
});

process.on("message", (message) => {
  if (message === "stop") {
    process.disconnect();
    void server.drain();
  } else {
    const heldBytes = measureHeldBytes();
    const rssBytes = process.memoryUsage.rss();
    const report: FuzzReport = { rssBytes, heldBytes, requestCount, openCount, bugLines };
    process.send?.(report);
  }
});
process.send?.({ port: server.address.port });
