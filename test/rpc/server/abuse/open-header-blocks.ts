/**
 * Serves callers that leave header blocks open while they read nothing, and collects the garbage after each round. In a
 * process of its own, since the order in which things are freed is the whole process's:
 * `node --expose-gc open-header-blocks.ts ROUNDS`
 */

import assert from "node:assert/strict";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { DEFAULT_SERVER_LIMITS } from "../../../../src/config/server-limits.ts";
import { systemClock } from "../../../../src/lib/clock.ts";
import { systemRandom } from "../../../../src/lib/random.ts";
import { stateHttp2Options } from "../../../../src/server/edge/http2-options.ts";
import { Http2Sessions } from "../../../../src/server/edge/http2-sessions.ts";
import { eventually } from "../../../support/eventually.ts";
import { MemoryLogger } from "../../../support/start-test-server.ts";
import {
  callFields,
  EMPTY_MESSAGE,
  encodeFields,
  FLAG,
  FRAME,
  frame,
  settings,
  uint32,
} from "./http2-frames.ts";
import { RawConnection } from "./raw-connection.ts";

const CALLER_COUNT = 10;
const INITIAL_WINDOW_SIZE = 4;
/** More than the system keeps for a reader that does not read. */
const ANSWER_BYTES = 8 * 1024 * 1024;

const roundCount = Number(process.argv[2]);
const collectGarbage = globalThis.gc;
if (collectGarbage === undefined) throw new Error("start this with --expose-gc");

// Whoever is silent loses the connection, and with it its calls.
const limits = { ...DEFAULT_SERVER_LIMITS, headersTimeoutMs: 20, keepAliveTimeoutMs: 30 };
const server = createServer(stateHttp2Options(16 * 1024, limits));
const sessions = new Http2Sessions(server, {
  limits,
  clock: systemClock,
  random: systemRandom,
  logger: new MemoryLogger(),
});
const callers: RawConnection[] = [];
let reapedCount = 0;
server.on("session", (session) => session.once("close", () => reapedCount++));
server.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.respond({ ":status": 200 });
  stream.write(Buffer.alloc(ANSWER_BYTES));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;

/** A caller that is reaped. */
async function call(): Promise<void> {
  const caller = RawConnection.http2(port, { settings: settings([INITIAL_WINDOW_SIZE, 0x7fffffff]) });
  caller.socket.pause();
  caller.send(
    frame(FRAME.windowUpdate, 0, 0, uint32(0x7fff0000)),
    frame(FRAME.headers, FLAG.endHeaders, 1, callFields("/")),
    frame(FRAME.data, 0, 1, EMPTY_MESSAGE),
  );
  await caller.opened;
  caller.send(frame(FRAME.headers, FLAG.endStream, 1, encodeFields({ "x-open": "v".repeat(100) })));
  callers.push(caller);
}

for (let round = 1; round <= roundCount; round++) {
  await Promise.all(Array.from({ length: CALLER_COUNT }, call));
  await eventually(() => assert.equal(reapedCount, CALLER_COUNT * round));
  for (const caller of callers.splice(0)) caller.close();
  collectGarbage();
}
console.log(`${reapedCount} connections`);
await sessions.destroy();
server.close();
