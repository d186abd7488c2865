import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../../gen/health/v1/health_pb.ts";
import { GetModelResponseSchema, ModelService } from "../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService, type StreamGenerateResponse } from "../../../gen/sluice/v1/router_service_pb.ts";
import type { CancelCause, StreamCall } from "../../../src/service/call.ts";
import type { HttpDoor } from "../../../src/service/http-exchange.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeTestCertificate, type TestCertificate } from "../../support/test-certificates.ts";
import { makeDelta, makeMethods } from "./fake-methods.ts";
import { sendRaw } from "./raw-http.ts";
import { findTransport, testTransports } from "./test-clients.ts";

const DELAY_MS = 3_000;
const TIMEOUT_MS = 20_000;

describe("drain", () => {
  let clock: FakeClock;
  let server: TestServer;
  let streams: StreamCall<StreamGenerateResponse>[];
  let cancelled: CancelCause[];
  let finish: (() => void)[];

  const methods = makeMethods({
    stream(call) {
      streams.push(call);
      call.onCancel((cause) => {
        cancelled.push(cause);
        call.fail({ reason: "DRAINING", message: "shutting down" });
      });
      call.write([makeDelta(0)]);
    },
    getModel(_name, call) {
      finish.push(() => call.respond(create(GetModelResponseSchema)));
    },
  });
  const door: HttpDoor = {
    serves: (path) => path === "/door",
    handle: (exchange) => exchange.respond(200, {}, "door"),
  };

  async function start(
    more: Partial<TestServer["config"]> = {},
    endlessMethods: readonly string[] = [],
  ): Promise<void> {
    server = await startTestServer({
      clock,
      endlessMethods,
      methods,
      doors: [door],
      config: {
        adminAddress: { host: "127.0.0.1", port: 0 },
        drainDelayMs: DELAY_MS,
        drainTimeoutMs: TIMEOUT_MS,
        maxTimeoutMs: 1_000_000,
        defaultStreamTimeoutMs: 1_000_000,
        defaultTimeoutMs: 1_000_000,
        ...more,
      },
    });
  }

  beforeEach(() => {
    clock = new FakeClock();
    streams = [];
    cancelled = [];
    finish = [];
  });

  afterEach(async () => {
    const drained = server.drain();
    await settleWhile(drained);
    expect(clock.pendingCount).to.equal(0);
  });

  /** Lets the drain go through all its waits. */
  async function settleWhile(drained: Promise<void>): Promise<void> {
    let done = false;
    void drained.then(() => {
      done = true;
    });
    await eventually(async () => {
      await clock.advance(TIMEOUT_MS);
      expect(done).to.equal(true);
    });
  }

  it("says NOT_SERVING first, still serves, then lets the streams under way finish", async () => {
    await start();
    const seen: string[] = [];
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const watching = (async () => {
      try {
        for await (const { status } of createClient(Health, client.transport).watch({})) {
          seen.push(status === Status.SERVING ? "SERVING" : "NOT_SERVING");
        }
      } catch (error) {
        seen.push(`watch ended with ${Code[ConnectError.from(error).code]}`);
      }
    })();
    await eventually(() => expect(seen).to.deep.equal(["SERVING"]));
    const stream = readStream(client.transport);
    await eventually(() => expect(streams).to.have.length(1));

    const drained = server.drain();
    await eventually(() => expect(seen).to.deep.equal(["SERVING", "NOT_SERVING"]));
    expect(await askReady()).to.equal(503);
    await clock.advance(DELAY_MS - 1);
    // The delay is for those who have not noticed yet: their calls are served.
    expect((await createClient(ModelService, client.transport).listModels({})).models).to.have.length(1);
    expect(seen).to.have.length(2);

    await clock.advance(1);
    await watching;
    expect(seen[2]).to.equal("watch ended with Unavailable");
    expect(await isConnectable(server.port)).to.equal(false);
    streams[0]?.write([makeDelta(1), makeDelta(2)]);
    streams[0]?.end();
    expect(await stream).to.deep.equal([0, 1, 2]);
    await settleWhile(drained);
    expect(cancelled).to.deep.equal([]);
    expect(await isConnectable(server.adminAddress?.port ?? 0)).to.equal(false);
    client.close();
  });

  for (const { name, open } of testTransports) {
    it(`lets a unary call under way finish (${name})`, async () => {
      await start();
      const client = open(server.baseUrl);
      const answer = createClient(ModelService, client.transport).getModel({});
      await eventually(() => expect(finish).to.have.length(1));
      const drained = server.drain();
      await clock.advance(DELAY_MS);
      expect(server.logger.find("drained")).to.deep.equal([]);
      finish[0]?.();
      await answer;
      client.close();
      // Without waiting for the timeout: the last call was all there was to wait for.
      await eventually(async () => {
        await clock.advance(10);
        expect(server.logger.find("drained")).to.have.length(1);
      });
      await drained;
    });
  }

  it("stops what is left at the timeout, with the cause shutdown and an answer", async () => {
    await start();
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const stream = readStream(client.transport).catch((error: unknown) => ConnectError.from(error));
    await eventually(() => expect(streams).to.have.length(1));
    const drained = server.drain();
    await clock.advance(DELAY_MS + TIMEOUT_MS - 1);
    expect(cancelled).to.deep.equal([]);
    await clock.advance(1);
    expect(cancelled).to.deep.equal(["shutdown"]);
    expect(await stream).to.include({ code: Code.Unavailable, rawMessage: "shutting down" });
    await settleWhile(drained);
    client.close();
  });

  it("tells HTTP/2 callers to go elsewhere with GOAWAY", async () => {
    await start();
    const session = connectHttp2(server.baseUrl);
    const left = new Promise<number>((resolve) => session.once("goaway", resolve));
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    const drained = server.drain();
    await clock.advance(DELAY_MS);
    expect(await left).to.equal(0);
    await settleWhile(drained);
  });

  it("refuses with DRAINING what comes over connections that are already open", async () => {
    await start();
    const holding = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const stream = readStream(holding.transport);
    await eventually(() => expect(streams).to.have.length(1));
    const timerCount = clock.pendingCount;
    const [http1, http1Door, http2] = await Promise.all([openSocket(), openSocket(), openSocket()]);
    // The server has taken a connection when it times its first bytes.
    await eventually(() => expect(clock.pendingCount).to.equal(timerCount + 3));
    const drained = server.drain();
    await clock.advance(DELAY_MS);

    const connectAnswer = await readAll(
      http1,
      "POST /sluice.v1.ModelService/ListModels HTTP/1.1\r\nHost: localhost\r\n" +
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    expect(connectAnswer)
      .to.match(/^HTTP\/1\.1 503 /)
      .and.match(/\r\nconnection: close\r\n/i);
    expect(connectAnswer).to.contain('"code":"unavailable"').and.contain("DRAINING");
    const doorAnswer = await readAll(http1Door, "GET /door HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(doorAnswer)
      .to.match(/^HTTP\/1\.1 503 /)
      .and.contain("DRAINING");

    const session = connectHttp2(server.baseUrl, { createConnection: () => http2 });
    const request = session.request({
      ":method": "POST",
      ":path": "/sluice.v1.ModelService/ListModels",
      "content-type": "application/grpc",
      te: "trailers",
    });
    request.end(Buffer.alloc(5));
    request.resume();
    const trailers = await new Promise<Record<string, unknown>>((resolve) =>
      request.once("trailers", resolve),
    );
    expect(trailers["grpc-status"]).to.equal("14");
    await new Promise((resolve) => session.once("close", resolve));

    streams[0]?.end();
    await stream;
    await settleWhile(drained);
    holding.close();
  });

  it("resolves although callers keep their connections", async () => {
    await start();
    const sockets = await Promise.all([openSocket(), openSocket()]);
    sockets[0]?.write("GET /door HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of sockets) socket.resume();
    await settleWhile(server.drain());
    await Promise.all(closed);
  });

  it("does not wait for streams that never end by themselves", async () => {
    await start({}, ["sluice.v1.RouterService/StreamGenerate"]);
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const stream = readStream(client.transport).catch((error: unknown) => ConnectError.from(error).code);
    const asking = Promise.withResolvers<void>();
    const reflecting = (async () => {
      const asked = (async function* () {
        yield { messageRequest: { case: "listServices", value: "" } } as const;
        await asking.promise;
      })();
      let answerCount = 0;
      try {
        for await (const _ of createClient(ServerReflection, client.transport).serverReflectionInfo(asked)) {
          answerCount++;
        }
      } catch (error) {
        return { answerCount, code: ConnectError.from(error).code };
      }
      return { answerCount };
    })();
    await eventually(() => expect(streams).to.have.length(1));
    await letStreamsBegin();
    const drained = server.drain();
    await clock.advance(DELAY_MS);
    expect(await stream).to.equal(Code.Unavailable);
    expect(await reflecting).to.deep.equal({ answerCount: 1, code: Code.Unavailable });
    expect(cancelled).to.deep.equal(["shutdown"]);
    asking.resolve();
    await settleWhile(drained);
    client.close();

    /** Both streams are under way once each has its deadline. */
    async function letStreamsBegin(): Promise<void> {
      await eventually(() => expect(clock.pendingCount).to.be.at.least(2));
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it("works behind TLS", async () => {
    const certificate: TestCertificate = await makeTestCertificate();
    await start({ tls: certificate.tls });
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl, certificate.ca);
    const stream = readStream(client.transport);
    await eventually(() => expect(streams).to.have.length(1));
    const drained = server.drain();
    await clock.advance(DELAY_MS);
    streams[0]?.end();
    expect(await stream).to.deep.equal([0]);
    await settleWhile(drained);
    client.close();
    await certificate.remove();
  });

  it("is one drain, however often it is asked for", async () => {
    await start();
    expect(server.drain()).to.equal(server.drain());
  });

  async function readStream(transport: Parameters<typeof createClient>[1]): Promise<number[]> {
    const sequence: number[] = [];
    for await (const { sequenceNumber } of createClient(RouterService, transport).streamGenerate({})) {
      sequence.push(sequenceNumber);
    }
    return sequence;
  }

  async function askReady(): Promise<number> {
    const answer = await sendRaw(
      server.adminAddress?.port ?? 0,
      "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    return Number(answer.split(" ")[1]);
  }

  function openSocket(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(server.port, "127.0.0.1", () => resolve(socket));
      socket.once("error", reject);
    });
  }
});

function isConnectable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function readAll(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.once("close", () => resolve(answer));
    socket.write(request);
  });
}
