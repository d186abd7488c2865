import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { create } from "@bufbuild/protobuf";
import { expect } from "chai";
import { GetModelResponseSchema } from "../../../../gen/sluice/v1/model_service_pb.ts";
import { seededRandom } from "../../../../src/lib/random.ts";
import type { Call } from "../../../../src/service/call.ts";
import { eventually } from "../../../support/eventually.ts";
import { measureHeldBytes } from "../../../support/held-memory.ts";
import { startTestServer, type TestServer } from "../../../support/start-test-server.ts";
import { makeDelta, makeMethods } from "../fake-methods.ts";
import { CountingClock } from "./counting-clock.ts";
import { call, EMPTY_MESSAGE, FRAME, frame, settings, uint32 } from "./http2-frames.ts";
import { RawConnection } from "./raw-connection.ts";

/** Full numbers by hand: SLUICE_DISCONNECTS=2000 SLUICE_CANCELS=100000. */
const DISCONNECT_COUNT = Number(process.env.SLUICE_DISCONNECTS ?? 200);
const CANCEL_COUNT = Number(process.env.SLUICE_CANCELS ?? 5_000);
/** A quarter of a core must do. */
const TIMEOUT_MS = 120_000 + 10 * DISCONNECT_COUNT + 3 * CANCEL_COUNT;

const STREAM = "/sluice.v1.RouterService/StreamGenerate";
const GET = "/sluice.v1.ModelService/GetModel";
/** What the heap may differ by when nothing is kept. */
const MEMORY_TOLERANCE_BYTES = 24 * 1024 * 1024;

describe("callers that leave", () => {
  let server: TestServer;
  let clock: CountingClock;
  /** Calls whose handler was neither told to stop nor has ended by itself. */
  let open: Set<Call>;
  let startedCount: number;
  /** Streams that were told to wait; a socket's own buffers may take more of them afterwards. */
  let paused: Set<Call>;
  /** Whether streams write as much as they may, or one message. */
  let isPouring: boolean;

  beforeEach(async () => {
    clock = new CountingClock();
    open = new Set();
    startedCount = 0;
    paused = new Set();
    isPouring = true;
    const begin = (call: Call): void => {
      startedCount++;
      open.add(call);
      call.onCancel((cause) => {
        open.delete(call);
        if (cause !== "caller_gone")
          call.fail({ reason: "DEADLINE_EXCEEDED", message: "the call was stopped" });
      });
    };
    server = await startTestServer({
      clock,
      limits: {
        resetBurstCount: 1_000_000,
        addressResetBurstCount: 1_000_000,
        maxConnectionsPerAddressCount: 5_000,
      },
      config: { defaultTimeoutMs: 120_000, defaultStreamTimeoutMs: 120_000, maxTimeoutMs: 120_000 },
      methods: makeMethods({
        stream(call) {
          begin(call);
          if (!isPouring) {
            call.write([makeDelta(0)]);
            return;
          }
          const pump = (): void => {
            while (call.cancelled === undefined) {
              if (call.write([makeDelta(0, "x".repeat(4_000))])) continue;
              paused.add(call);
              return;
            }
          };
          call.onDrain(pump);
          pump();
        },
        getModel(name, call) {
          begin(call);
          if (name !== "") return;
          open.delete(call);
          call.respond(create(GetModelResponseSchema));
        },
      }),
    });
  });

  const expectNothingLeft = async (): Promise<void> => {
    await eventually(() => expect(open.size).to.equal(0), 30_000);
    await server.drain();
    expect(clock.pendingCount).to.equal(0);
    const calls = server.logger.find("call").length;
    expect(calls).to.equal(startedCount);
    expect(server.logger.lines.filter(({ level }) => level === "error")).to.deep.equal([]);
  };

  it(`leave nothing behind when ${DISCONNECT_COUNT} of them vanish in the middle of a stream that is held back`, async () => {
    const socketCount = countSockets();
    const PARALLEL_COUNT = 100;
    for (let done = 0; done < DISCONNECT_COUNT; done += PARALLEL_COUNT) {
      const count = Math.min(PARALLEL_COUNT, DISCONNECT_COUNT - done);
      const pausedBefore = paused.size;
      const connections = Array.from({ length: count }, (_, index) => {
        if (index % 2 === 0) {
          const connection = RawConnection.http2(server.port, { settings: settings([0x4, 1_000]) });
          connection.send(call(1, STREAM));
          return connection.socket;
        }
        const socket = connect(server.port, "127.0.0.1");
        socket.on("error", () => {});
        socket.pause();
        socket.write(
          `POST ${STREAM} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+proto\r\nContent-Length: 5\r\n\r\n`,
        );
        socket.write(EMPTY_MESSAGE);
        return socket;
      });
      await eventually(() => expect(paused.size - pausedBefore).to.equal(count), 60_000);
      for (const [index, socket] of connections.entries()) {
        if (index % 3 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
      await eventually(() => expect(open.size).to.equal(0), 30_000);
    }
    expect(startedCount).to.equal(DISCONNECT_COUNT);
    await expectNothingLeft();
    await eventually(() => expect(countSockets()).to.be.at.most(socketCount));
  }).timeout(TIMEOUT_MS);

  it(`leave nothing behind after ${CANCEL_COUNT} cancels of every kind`, async () => {
    isPouring = false;
    const random = seededRandom(1);
    const PER_SESSION_COUNT = 500;
    const PARALLEL_COUNT = 100;
    let heldBefore: number | undefined;
    for (let done = 0; done < CANCEL_COUNT; ) {
      const session = connectHttp2(server.baseUrl);
      session.on("error", () => {});
      for (let inSession = 0; inSession < PER_SESSION_COUNT && done < CANCEL_COUNT; ) {
        const ends = Array.from({ length: PARALLEL_COUNT }, () => cancelOne(session, random.next()));
        await Promise.all(ends);
        done += PARALLEL_COUNT;
        inSession += PARALLEL_COUNT;
      }
      if (random.next() < 0.5) session.close();
      else session.destroy();
      if (heldBefore === undefined && done >= CANCEL_COUNT / 5) heldBefore = keepOnlyCounts();
    }
    await eventually(() => expect(open.size).to.equal(0), 30_000);
    const heldAfter = keepOnlyCounts();
    expect(heldAfter - (heldBefore ?? 0)).to.be.below(MEMORY_TOLERANCE_BYTES);
    await server.drain();
    expect(clock.pendingCount).to.equal(0);
  }).timeout(TIMEOUT_MS);

  /** The log of the test server keeps its lines, which is not the server's memory. */
  const keepOnlyCounts = (): number => {
    server.logger.lines.length = 0;
    return measureHeldBytes();
  };

  it("end every call of a connection that goes away, also those whose answers wait for others", async () => {
    const connection = new RawConnection(server.port);
    const request = `POST ${GET} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"name":"x"}`;
    connection.send(request.repeat(4));
    await eventually(() => expect(open.size).to.equal(4));
    connection.close();
    await expectNothingLeft();
    expect(server.logger.find("call").map(({ code }) => code)).to.deep.equal(Array(4).fill("CANCELLED"));
  });

  it("may cancel a stream before its request is complete", async () => {
    const connection = RawConnection.http2(server.port);
    for (let id = 1; id < 200; id += 2) {
      connection.send(call(id, STREAM).subarray(0, -5), frame(FRAME.rstStream, 0, id, uint32(8)));
    }
    await connection.closed.catch(() => {});
    await server.drain();
    expect(clock.pendingCount).to.equal(0);
  });
});

/** Opens one call and cancels it: at once, after the headers, in the middle, by RST with some code, or not at all. */
function cancelOne(session: ReturnType<typeof connectHttp2>, chance: number): Promise<void> {
  return new Promise((resolve) => {
    const kind = Math.floor(chance * 6);
    const stream = session.request({
      ":method": "POST",
      ":path": kind === 0 ? GET : STREAM,
      "content-type": "application/grpc",
      te: "trailers",
      ...(kind === 5 ? { "grpc-timeout": "1m" } : {}),
    });
    stream.on("error", () => {});
    stream.once("close", resolve);
    stream.end(EMPTY_MESSAGE);
    if (kind === 1) stream.close(constants.NGHTTP2_CANCEL);
    else if (kind === 2) stream.once("response", () => stream.close(constants.NGHTTP2_CANCEL));
    else if (kind === 3) stream.once("data", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    else if (kind === 4) setImmediate(() => stream.destroy());
    else stream.resume();
  });
}

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCPSocket")).length;
}
