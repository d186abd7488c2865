import { connect as connectHttp2 } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { Clock } from "../../../src/domain/ports.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { StreamCall } from "../../../src/service/call.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer } from "../../support/start-test-server.ts";
import { call, FRAME } from "./abuse/http2-frames.ts";
import { RawConnection } from "./abuse/raw-connection.ts";
import { makeDelta, makeMethods } from "./fake-methods.ts";
import { findTransport } from "./test-clients.ts";

const LIST = "/sluice.v1.ModelService/ListModels";
const STREAM = "/sluice.v1.RouterService/StreamGenerate";

describe("the life of a connection", () => {
  it("has HTTP/2 settings that are all stated", async () => {
    const server = await startTestServer({ limits: { maxStreamCount: 77 } });
    const session = connectHttp2(server.baseUrl);
    const settings = await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(settings).to.deep.include({
      headerTableSize: 4_096,
      enablePush: false,
      initialWindowSize: 1024 * 1024,
      maxFrameSize: 16_384,
      maxConcurrentStreams: 77,
      maxHeaderListSize: 32 * 1024,
      enableConnectProtocol: false,
    });
    expect(session.state.remoteWindowSize).to.be.at.least(65_535);
    session.close();
    await server.drain();
  });

  it("ends over HTTP/2 when it is too old: calls under way go on, new ones go elsewhere", async () => {
    const calls: StreamCall[] = [];
    const server = await startTestServer({
      limits: { maxAgeMs: 100 },
      random: { next: () => 0.5 },
      methods: makeMethods({
        stream(call) {
          calls.push(call);
          call.write([makeDelta(0)]);
        },
      }),
    });
    const connection = RawConnection.http2(server.port);
    connection.answerPings();
    connection.send(call(1, STREAM));
    await eventually(() => {
      const goaways = connection.frames.filter(({ type }) => type === FRAME.goaway);
      // First a notice, then the real one, which names the last call that is served.
      expect(goaways.map(({ payload }) => payload.readUInt32BE(0))).to.deep.equal([2 ** 31 - 1, 1]);
      expect(goaways.map(({ payload }) => payload.readUInt32BE(4))).to.deep.equal([0, 0]);
    });
    expect(calls[0]?.cancelled).to.equal(undefined);
    calls[0]?.end();
    await connection.closed;
    await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("OK"));
    await server.drain();
  });

  it("ends in any case when the grace is over", async () => {
    const server = await startTestServer({
      limits: { maxAgeMs: 50, maxAgeGraceMs: 50 },
      methods: makeMethods({ stream: (call) => call.write([makeDelta(0)]) }),
    });
    const connection = RawConnection.http2(server.port);
    connection.answerPings();
    connection.send(call(1, STREAM));
    await connection.closed;
    expect(server.logger.find("an HTTP/2 connection was ended")).to.have.length(1);
    await server.drain();
  });

  it("ends over HTTP/1.1 with the first answer after its age", async () => {
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
    const server = await startTestServer({ clock, limits: { maxAgeMs: 10_000 }, methods: makeMethods({}) });
    const connection = new RawConnection(server.port);
    const request = `POST ${LIST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;
    connection.send(request);
    await eventually(() => expect(connection.received.toString()).to.contain("glm"));
    expect(connection.received.toString()).not.to.match(/connection: close/i);
    aheadMs = 11_000;
    connection.send(request);
    await connection.closed;
    expect(connection.received.toString()).to.match(/connection: close/i);
    await server.drain();
  });

  it("ends over HTTP/2 when it has been without calls for too long", async () => {
    const server = await startTestServer({ limits: { idleTimeoutMs: 100 }, methods: makeMethods({}) });
    const connection = RawConnection.http2(server.port);
    connection.answerPings();
    connection.send(call(1, LIST));
    await connection.closed;
    expect(connection.frames.find(({ type }) => type === FRAME.goaway)?.payload.readUInt32BE(4)).to.equal(0);
    await server.drain();
  });
});

describe("extra routes", () => {
  it("serve streams of callers under the edge's deadline, and know their call", async () => {
    const seen: unknown[] = [];
    const server = await startTestServer({
      config: { reflection: false },
      extraRoutes: (router, describe) => {
        router.rpc(ServerReflection.method.serverReflectionInfo, async function* (requests, context) {
          const { requestId, callerTimeoutMs, signal } = describe(context);
          seen.push({ requestId, callerTimeoutMs });
          for await (const { host } of requests) {
            if (host === "wait")
              await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
            yield create(ServerReflectionResponseSchema, { validHost: host });
          }
        });
      },
    });
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const reflection = createClient(ServerReflection, client.transport);
    const ask = async (hosts: readonly string[], options: object): Promise<string[]> => {
      const requests = async function* () {
        for (const host of hosts) yield create(ServerReflectionRequestSchema, { host });
      };
      const answers: string[] = [];
      for await (const { validHost } of reflection.serverReflectionInfo(requests(), options))
        answers.push(validHost);
      return answers;
    };
    expect(await ask(["a", "b"], { headers: { "x-request-id": "extra-1" } })).to.deep.equal(["a", "b"]);
    const error = await ask(["a", "wait"], {
      headers: { "grpc-timeout": "50m", "x-request-id": "extra-2" },
    }).then(
      () => undefined,
      (thrown: unknown) => ConnectError.from(thrown),
    );
    expect(error?.code).to.equal(Code.DeadlineExceeded);
    expect(seen).to.deep.equal([
      { requestId: "extra-1", callerTimeoutMs: undefined },
      { requestId: "extra-2", callerTimeoutMs: 50 },
    ]);
    client.close();
    await server.drain();
  });
});
