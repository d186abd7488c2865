import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import type { ServerLimits } from "../../../../src/config/server-limits.ts";
import type { UnaryCall } from "../../../../src/service/call.ts";
import type { HttpDoor } from "../../../../src/service/http-exchange.ts";
import { eventually } from "../../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../../support/start-test-server.ts";
import { makeTestCertificate } from "../../../support/test-certificates.ts";
import { makeMethods } from "../fake-methods.ts";
import { CountingClock } from "./counting-clock.ts";
import { call, FRAME } from "./http2-frames.ts";
import { OtherCaller } from "./other-caller.ts";
import { RawConnection } from "./raw-connection.ts";

const LIST = "/sluice.v1.ModelService/ListModels";
const GET = "/sluice.v1.ModelService/GetModel";
/** A neighbour of 127.0.0.1 that counts as another address. */
const ABUSER = "127.0.0.2";

const LIMITS: Partial<ServerLimits> = {
  maxConnectionsPerAddressCount: 100,
  firstBytesTimeoutMs: 300,
  headersTimeoutMs: 300,
  keepAliveIntervalMs: 300,
  keepAliveTimeoutMs: 300,
  minBodyBytesPerSecond: 1_000,
  bodyWindowMs: 200,
  maxPipelinedCount: 8,
};

/** Answers with the length of the body. */
const door: HttpDoor = {
  serves: (path) => path.startsWith("/v1/"),
  handle: (exchange) =>
    exchange.readBody((body) => exchange.respond(typeof body === "string" ? 400 : 200, {}, `${body.length}`)),
};

describe("connection abuse", () => {
  let server: TestServer;
  let clock: CountingClock;
  let other: OtherCaller;
  let held: UnaryCall[];

  beforeEach(async () => {
    clock = new CountingClock();
    held = [];
    const getModel = (_name: string, call: UnaryCall): void => {
      held.push(call);
    };
    server = await startTestServer({
      clock,
      limits: LIMITS,
      methods: makeMethods({ getModel }),
      doors: [door],
    });
    other = new OtherCaller(server.baseUrl);
    await eventually(() => expect(other.successCount).to.be.greaterThan(1));
  });

  afterEach(async () => {
    const { successCount } = other;
    await eventually(() => expect(other.successCount).to.be.greaterThan(successCount + 2));
    await other.stop();
    expect(other.failures).to.deep.equal([]);
    await server.drain();
    expect(clock.pendingCount).to.equal(0);
  });

  it("keeps 1,000 connections from one address from taking more than their share", async () => {
    const patient = await startTestServer({
      clock,
      limits: { maxConnectionsPerAddressCount: 100 },
      methods: makeMethods({}),
      doors: [door],
    });
    const neighbour = new OtherCaller(patient.baseUrl);
    const connections: RawConnection[] = [];
    // In waves: more at once than the system keeps for a server to take would come only when sent again.
    while (connections.length < 1_000) {
      const wave = Array.from({ length: 250 }, () => new RawConnection(patient.port, ABUSER));
      for (const connection of wave) connection.send("GET /");
      await Promise.all(wave.map(({ opened }) => opened));
      connections.push(...wave);
    }
    await eventually(
      () => expect(connections.filter(({ isClosed }) => isClosed)).to.have.length(900),
      30_000,
    );
    expect(patient.logger.find("connections were refused")[0]).to.include({ reason: "address" });
    const { successCount } = neighbour;
    await eventually(() => expect(neighbour.successCount).to.be.greaterThan(successCount + 2));
    for (const connection of connections) connection.close();
    // A server hears of a close a little later than who closes.
    await eventually(async () => {
      const late = new RawConnection(patient.port, ABUSER);
      late.send(`GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      await late.closed;
      expect(late.received.toString()).to.match(/^HTTP\/1\.1 200 /);
    });
    await neighbour.stop();
    expect(neighbour.failures).to.deep.equal([]);
    await patient.drain();
  }).timeout(60_000);

  it("says in the caller's protocol why a connection is refused", async () => {
    const first = Array.from({ length: 100 }, () =>
      RawConnection.http2(server.port, { localAddress: ABUSER }),
    );
    for (const each of first) each.answerPings();
    await eventually(() => expect(first.every(({ frames }) => frames.length > 0)).to.equal(true));
    const http1 = new RawConnection(server.port, ABUSER);
    http1.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await http1.closed;
    expect(http1.received.toString()).to.match(/^HTTP\/1\.1 503 .*this address has all the connections/s);
    const http2 = RawConnection.http2(server.port, { localAddress: ABUSER });
    await http2.closed;
    const goaway = http2.frames.find(({ type }) => type === FRAME.goaway);
    expect(goaway?.payload.readUInt32BE(4)).to.equal(0xb);
    expect(goaway?.payload.subarray(8).toString()).to.contain("all the connections");
    for (const each of first) each.close();
  });

  for (const [title, bytes] of [
    ["nothing", ""],
    ["half a request line", "POST /sluice.v1"],
    ["headers without an end", `POST ${LIST} HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n`],
  ] as const) {
    it(`ends an HTTP/1.1 connection that sends ${title}`, async () => {
      const connection = new RawConnection(server.port);
      connection.send(bytes);
      await connection.closed;
    });
  }

  const json = `POST ${GET} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  for (const [title, head] of [
    ["an announced body", `${json}Content-Length: 1000\r\n\r\n{`],
    ["a chunked body", `${json}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
    ["a door's body", "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"],
  ] as const) {
    it(`answers DEADLINE_EXCEEDED to ${title} that comes too slowly, and closes`, async () => {
      const connection = new RawConnection(server.port);
      connection.send(head);
      const drip = setInterval(() => connection.send("1\r\n \r\n"), 50);
      await connection.closed;
      clearInterval(drip);
      expect(connection.received.toString())
        .to.match(/^HTTP\/1\.1 504 /)
        .and.contain("less than 1000 bytes per second");
      expect(held).to.deep.equal([]);
    });
  }

  it("answers DEADLINE_EXCEEDED to a body over HTTP/2 that comes too slowly", async () => {
    const session = connectHttp2(server.baseUrl);
    const stream = session.request({ ":method": "POST", ":path": GET, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(2));
    const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.once("response", resolve));
    stream.resume();
    const trailers =
      headers["grpc-status"] === undefined
        ? await new Promise<IncomingHttpHeaders>((resolve) => stream.once("trailers", resolve))
        : headers;
    expect(trailers["grpc-status"]).to.equal("4");
    expect(trailers["grpc-message"]).to.contain("less than 1000 bytes per second");
    session.destroy();
  });

  it("ends a connection that sends requests without waiting for answers", async () => {
    const connection = new RawConnection(server.port);
    const request = `${json}Content-Length: 2\r\n\r\n{}`;
    connection.send(request.repeat(200));
    await connection.closed;
    expect(held.length).to.be.at.most(8);
    await eventually(() => expect(held.every(({ cancelled }) => cancelled === "caller_gone")).to.equal(true));
  });

  it("serves requests that are sent without waiting for a few answers, in order", async () => {
    const connection = new RawConnection(server.port);
    const requests = Array.from(
      { length: 8 },
      (_, index) =>
        `POST /v1/x HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r${index}\r\nContent-Length: 1\r\n${index === 7 ? "Connection: close\r\n" : ""}\r\nx`,
    );
    connection.send(requests.join(""));
    await connection.closed;
    const ids = [...connection.received.toString().matchAll(/x-request-id: (r[0-9])/gi)].map(([, id]) => id);
    expect(ids).to.deep.equal(["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"]);
  });

  for (const [title, head] of [
    ["both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"],
    ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"],
    ["a length that is no number", "Content-Length: +5\r\n"],
    ["an unknown transfer coding", "Transfer-Encoding: xchunked\r\n"],
    ["a space before the colon", "Content-Length : 5\r\n"],
    ["a folded field", "X-A: b\r\n c\r\n"],
    ["a bare line feed", "X-A: b\nX-B: c\r\n"],
    ["a NUL", "X-A: b\0\r\n"],
  ]) {
    it(`takes no request with ${title}`, async () => {
      const connection = new RawConnection(server.port);
      connection.send(`POST /v1/x HTTP/1.1\r\nHost: localhost\r\n${head}\r\nhello`);
      await connection.closed;
      expect(connection.received.toString()).to.match(/^HTTP\/1\.1 400 /);
    });
  }
});

describe("the memory for all requests", () => {
  it("is full for new requests first, so that those taken are served, and takes them when there is room again", async () => {
    const held: UnaryCall[] = [];
    const getModel = (_name: string, call: UnaryCall): void => {
      held.push(call);
    };
    const server = await startTestServer({
      limits: { maxRequestMemoryBytes: 256 * 1024 },
      methods: makeMethods({ getModel }),
    });
    const refusedCount = (): number =>
      server.logger.find("call").filter(({ code }) => code === "RESOURCE_EXHAUSTED").length;
    const connection = RawConnection.http2(server.port);
    connection.answerPings();
    for (let index = 0; index < 50; index++) connection.send(call(2 * index + 1, GET));
    // Three quarters hold 24 calls; the rest is for their bodies.
    await eventually(() => expect([held.length, refusedCount()]).to.deep.equal([24, 26]));
    connection.close();
    await eventually(() => expect(held.every(({ cancelled }) => cancelled !== undefined)).to.equal(true));
    const next = RawConnection.http2(server.port);
    next.send(call(1, GET));
    await eventually(() => expect(held.length).to.equal(25));
    next.close();
    await server.drain();
  });
});

describe("connection abuse over TLS", () => {
  it("ends handshakes that do not end, and connections that say nothing after one", async () => {
    const certificate = await makeTestCertificate();
    const clock = new CountingClock();
    const server = await startTestServer({ clock, limits: LIMITS, config: { tls: certificate.tls } });
    const silent = new RawConnection(server.port);
    const half = new RawConnection(server.port);
    half.send(Buffer.from([22, 3, 1, 2, 0, 1]));
    const shaken = connectTls({
      port: server.port,
      host: "127.0.0.1",
      ca: certificate.ca,
      servername: "localhost",
    });
    shaken.on("error", () => {});
    shaken.resume();
    await Promise.all([silent.closed, half.closed, new Promise((resolve) => shaken.once("close", resolve))]);
    await server.drain();
    expect(clock.pendingCount).to.equal(0);
    await certificate.remove();
  });
});
