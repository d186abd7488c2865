import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { ServerLimits } from "../../../../src/config/server-limits.ts";
import type { CancelCause, StreamCall } from "../../../../src/service/call.ts";
import { eventually } from "../../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../../support/start-test-server.ts";
import { makeDelta, makeMethods } from "../fake-methods.ts";
import { CountingClock } from "./counting-clock.ts";
import {
  call,
  callFields,
  EMPTY_MESSAGE,
  encodeFields,
  FLAG,
  FRAME,
  frame,
  PREFACE,
  settings,
  uint32,
} from "./http2-frames.ts";
import { OtherCaller } from "./other-caller.ts";
import { RawConnection } from "./raw-connection.ts";

const STREAM = "/sluice.v1.RouterService/StreamGenerate";
const ENHANCE_YOUR_CALM = 0xb;
const CANCEL = uint32(0x8);

/** Short enough to be seen by a test. */
const LIMITS: Partial<ServerLimits> = {
  firstBytesTimeoutMs: 200,
  headersTimeoutMs: 200,
  keepAliveIntervalMs: 200,
  // The other caller keeps to this too, on a machine however slow.
  keepAliveTimeoutMs: 1_000,
  resetBurstCount: 100,
  resetsPerSecond: 1,
  addressResetBurstCount: 100,
  addressResetsPerSecond: 1,
  writeStallTimeoutMs: 200,
  maxStreamCount: 64,
};

describe("HTTP/2 abuse", () => {
  let server: TestServer;
  let clock: CountingClock;
  let other: OtherCaller;
  let open: Set<StreamCall>;
  let causes: CancelCause[];

  beforeEach(async () => {
    clock = new CountingClock();
    open = new Set();
    causes = [];
    const stream = (call: StreamCall): void => {
      open.add(call);
      call.onCancel((cause) => {
        open.delete(call);
        causes.push(cause);
      });
      const pump = (): void => {
        while (call.cancelled === undefined && call.write([makeDelta(0, "x".repeat(1_000))]));
      };
      call.onDrain(pump);
      pump();
    };
    server = await startTestServer({ clock, limits: LIMITS, methods: makeMethods({ stream }) });
    other = new OtherCaller(server.baseUrl);
    await eventually(() => expect(other.successCount).to.be.greaterThan(1));
  });

  afterEach(async () => {
    const { successCount } = other;
    await eventually(() => expect(other.successCount).to.be.greaterThan(successCount + 2));
    await other.stop();
    expect(other.failures).to.deep.equal([]);
    await eventually(() => expect([...open]).to.deep.equal([]));
    await server.drain();
    expect(clock.pendingCount).to.equal(0);
  });

  const floods: readonly (readonly [title: string, before: readonly Buffer[], piece: Buffer])[] = [
    [
      "streams that are opened and cancelled",
      [],
      // The ids are filled in below.
      Buffer.alloc(0),
    ],
    ["SETTINGS", [], settings([0x4, 65_535])],
    ["PING", [], frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
    [
      "CONTINUATION without an end",
      [frame(FRAME.headers, 0, 1, callFields(STREAM))],
      frame(FRAME.continuation, 0, 1, encodeFields({ "x-more": "y".repeat(1_000) })),
    ],
    ["empty CONTINUATION", [frame(FRAME.headers, 0, 1, callFields(STREAM))], frame(FRAME.continuation, 0, 1)],
    ["empty DATA", [frame(FRAME.headers, FLAG.endHeaders, 1, callFields(STREAM))], frame(FRAME.data, 0, 1)],
    ["frames for streams that were never opened", [], frame(FRAME.data, 0, 101, EMPTY_MESSAGE)],
    ["frames of another role", [], frame(FRAME.pushPromise, FLAG.endHeaders, 1, uint32(2))],
    ["random bytes", [], randomBytes(4_096)],
  ];

  for (const [title, before, piece] of floods) {
    it(`ends a connection that floods the server with ${title}`, async () => {
      const connection = RawConnection.http2(server.port);
      connection.send(...before);
      if (piece.length > 0) {
        await connection.flood(Buffer.concat(Array<Buffer>(16).fill(piece)), 10_000);
      } else {
        for (let id = 1; id < 20_001 && !connection.isClosed; id += 2) {
          connection.send(call(id, STREAM), frame(FRAME.rstStream, 0, id, CANCEL));
          if (id % 101 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await eventually(() => expect(connection.isClosed).to.equal(true));
    });
  }

  for (const [code, errorCode] of [
    ["CANCEL", CANCEL],
    ["NO_ERROR", uint32(0)],
  ] as const) {
    it(`ends a connection whose caller cancels too much on many connections, each within its own limit (${code})`, async () => {
      const sendResets = (connection: RawConnection): void => {
        for (let id = 1; id < 121; id += 2) {
          connection.send(call(id, STREAM), frame(FRAME.rstStream, 0, id, errorCode));
        }
      };
      const first = RawConnection.http2(server.port);
      sendResets(first);
      await eventually(() => expect(server.logger.find("call").length).to.be.at.least(60));
      expect(first.isClosed).to.equal(false);
      const second = RawConnection.http2(server.port);
      sendResets(second);
      await second.closed;
      const goaway = second.frames.find(({ type }) => type === FRAME.goaway);
      expect(goaway?.payload.subarray(8).toString()).to.equal("too_many_resets");
      first.close();
    });
  }

  it("tells a caller that floods it with PING to calm down", async () => {
    const connection = RawConnection.http2(server.port);
    connection.send(...Array<Buffer>(200).fill(frame(FRAME.ping, 0, 0, Buffer.alloc(8))));
    await connection.closed;
    const goaway = connection.frames.find(({ type }) => type === FRAME.goaway);
    expect(goaway?.payload.readUInt32BE(4)).to.equal(ENHANCE_YOUR_CALM);
    expect(goaway?.payload.subarray(8).toString()).to.equal("too_many_pings");
  });

  it("takes as many pings as a caller wants while it sends answers", async () => {
    const connection = RawConnection.http2(server.port);
    connection.answerPings();
    connection.send(call(1, STREAM), frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 30)));
    for (let round = 0; round < 200; round++) {
      const before = connection.received.length;
      connection.send(
        frame(FRAME.windowUpdate, 0, 1, uint32(4_000)),
        frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
      );
      await eventually(() => expect(connection.received.length).to.be.greaterThan(before + 1_000));
    }
    expect(connection.isClosed).to.equal(false);
    connection.close();
  });

  const silences: readonly (readonly [title: string, bytes: readonly (Buffer | string)[]])[] = [
    ["nothing", []],
    ["half a preface", [PREFACE.subarray(0, 10)]],
    ["a preface without settings", [PREFACE]],
    ["half a header block", [PREFACE, settings(), frame(FRAME.headers, 0, 1, callFields(STREAM))]],
    [
      "half a header block beside a call",
      [PREFACE, settings(), call(1, STREAM), frame(FRAME.headers, 0, 3, callFields(STREAM))],
    ],
    ["half a frame", [PREFACE, settings(), frame(FRAME.data, 0, 1, EMPTY_MESSAGE).subarray(0, 7)]],
    ["everything but an answer to the server's ping", [PREFACE, settings(), call(1, STREAM)]],
    [
      "a farewell and then what is no frame",
      [
        ...[PREFACE, settings(), frame(FRAME.settings, FLAG.ack, 0), call(1, STREAM)],
        ...[frame(FRAME.goaway, 0, 0, Buffer.alloc(8)), Buffer.alloc(100, 0x7f)],
      ],
    ],
  ];

  for (const [title, bytes] of silences) {
    it(`ends a connection that sends ${title}`, async () => {
      const connection = new RawConnection(server.port);
      connection.send(...bytes);
      await connection.closed;
    });
  }

  it("ends a connection that breaks off in the middle and does not read how it ends", async () => {
    const connection = RawConnection.http2(server.port, { settings: settings([0x4, 2 ** 31 - 1]) });
    connection.socket.pause();
    connection.send(frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 30)), call(1, STREAM));
    await eventually(() => expect(open.size).to.equal(1));
    connection.send(frame(FRAME.continuation, 0, 1));
    await eventually(() => expect(server.logger.find("an HTTP/2 connection was ended")).to.have.length(1));
    // Who reads nothing learns it when it writes.
    await eventually(() => {
      connection.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
      expect(connection.isClosed).to.equal(true);
    });
  });

  it("resets a stream whose reader takes nothing, and leaves the rest of its connection alone", async () => {
    const connection = RawConnection.http2(server.port, { settings: settings([0x4, 0]) });
    connection.answerPings();
    connection.send(call(1, STREAM));
    await eventually(() => expect(open.size).to.equal(1));
    await eventually(() => expect(open.size).to.equal(0));
    await eventually(() => {
      const reset = connection.frames.find(({ type }) => type === FRAME.rstStream);
      expect(reset?.streamId).to.equal(1);
    });
    expect(connection.isClosed).to.equal(false);
    connection.send(call(3, STREAM));
    await eventually(() => expect(open.size).to.equal(1));
    connection.close();
  });

  it("serves as many streams as it announced, and ends a connection that opens more", async () => {
    const connection = RawConnection.http2(server.port, { settings: settings([0x4, 0]) });
    connection.answerPings();
    for (let index = 0; index < 64; index++) connection.send(call(2 * index + 1, STREAM));
    await eventually(() => expect(open.size).to.equal(64));
    connection.send(call(129, STREAM));
    await connection.closed;
  });

  it("ends a connection whose window overflows", async () => {
    const connection = RawConnection.http2(server.port);
    connection.send(
      frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1)),
      frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 31 - 1)),
    );
    await connection.closed;
  });

  it("refuses header fields that are too many, too long, or not allowed", async () => {
    for (const fields of [
      Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, "y"])),
      { "x-long": "y".repeat(15_000), "x-longer": "y".repeat(15_000), "x-longest": "y".repeat(8_000) },
      { connection: "close" },
      { "X-Upper": "y" },
      { ":path": STREAM },
      { "x-newline": "a\r\nb: c" },
    ]) {
      const connection = RawConnection.http2(server.port);
      const block = Buffer.concat([callFields(STREAM), encodeFields(fields)]);
      connection.send(frame(FRAME.headers, 0, 1, block.subarray(0, 16_000)));
      for (let start = 16_000; start < block.length; start += 16_000) {
        connection.send(frame(FRAME.continuation, 0, 1, block.subarray(start, start + 16_000)));
      }
      connection.send(
        frame(FRAME.continuation, FLAG.endHeaders, 1),
        frame(FRAME.data, FLAG.endStream, 1, EMPTY_MESSAGE),
      );
      await eventually(() => {
        const ends = connection.frames.some(
          ({ type, flags }) => type === FRAME.rstStream || (flags & 1) === 1,
        );
        expect(connection.isClosed || ends).to.equal(true);
      });
      connection.close();
    }
    expect(causes).to.deep.equal([]);
  });
});
