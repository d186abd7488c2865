import { connect as connectHttp2 } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { RouterService, StreamGenerateRequestSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { call, FRAME, frame, settings, uint32 } from "./abuse/http2-frames.ts";
import { RawConnection } from "./abuse/raw-connection.ts";
import { makeDelta, makeMethods } from "./fake-methods.ts";
import { findTransport, testTransports } from "./test-clients.ts";

/** What may be on its way to a reader that reads nothing: our queue, Node's and the kernel's buffers, its own window. */
const MAX_IN_FLIGHT_BYTES = 8 * 1024 * 1024;

const TEXT_CHARACTERS = 1_000;
const TOTAL_COUNT = 20_000;

describe("back-pressure", () => {
  let server: TestServer;
  let writtenCount: number;
  let pauseCount: number;

  beforeEach(async () => {
    writtenCount = 0;
    pauseCount = 0;
    server = await startTestServer({
      methods: makeMethods({
        stream(call) {
          const pump = (): void => {
            while (writtenCount < TOTAL_COUNT) {
              const batch = Array.from({ length: 10 }, (_, index) =>
                makeDelta(writtenCount + index, "x".repeat(TEXT_CHARACTERS)),
              );
              writtenCount += batch.length;
              if (!call.write(batch)) {
                pauseCount++;
                return;
              }
            }
            call.end();
          };
          call.onDrain(pump);
          pump();
        },
      }),
    });
  });

  afterEach(() => server.drain());

  it("holds the handler while the caller does not read, and lets it go on when it does", async () => {
    const session = connectHttp2(server.baseUrl);
    const stream = session.request({
      ":method": "POST",
      ":path": "/sluice.v1.RouterService/StreamGenerate",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const message = toBinary(StreamGenerateRequestSchema, create(StreamGenerateRequestSchema));
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
    await new Promise((resolve) => stream.once("response", resolve));
    let before = -1;
    await eventually(async () => {
      const now = writtenCount;
      const still = now === before;
      before = now;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(still && now === writtenCount).to.equal(true);
    });
    expect(pauseCount).to.be.greaterThan(0);
    expect(writtenCount * TEXT_CHARACTERS).to.be.below(MAX_IN_FLIGHT_BYTES);
    expect(writtenCount).to.be.below(TOTAL_COUNT);
    let receivedBytes = 0;
    stream.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
    await new Promise((resolve) => stream.once("end", resolve));
    session.close();
    expect(receivedBytes).to.be.greaterThan(TOTAL_COUNT * TEXT_CHARACTERS);
  });

  for (const { name, open } of testTransports) {
    it(`loses nothing and keeps the order (${name})`, async () => {
      const client = open(server.baseUrl);
      let next = 0;
      for await (const message of createClient(RouterService, client.transport).streamGenerate({})) {
        if (message.sequenceNumber !== next)
          throw new Error(`expected ${next}, got ${message.sequenceNumber}`);
        next++;
      }
      expect(next).to.equal(TOTAL_COUNT);
      client.close();
    }).timeout(60_000);
  }

  it("does not hold up the end of the server when a caller reads nothing", async () => {
    const caller = RawConnection.http2(server.port, { settings: settings([0x4, 2 ** 31 - 1]) });
    caller.socket.pause();
    caller.send(
      frame(FRAME.windowUpdate, 0, 0, uint32(2 ** 30)),
      call(1, "/sluice.v1.RouterService/StreamGenerate"),
    );
    await eventually(() => expect(pauseCount).to.be.greaterThan(0));
    await server.drain();
    caller.close();
  });

  it("lets a caller leave while its stream is held back", async () => {
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const leave = new AbortController();
    const stream = createClient(RouterService, client.transport).streamGenerate({}, { signal: leave.signal });
    await stream[Symbol.asyncIterator]().next();
    leave.abort();
    await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("CANCELLED"));
    client.close();
  });
});
