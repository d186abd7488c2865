import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { expect } from "chai";
import type { CancelCause } from "../../../src/service/call.ts";
import type { BodyFailure, HttpDoor, HttpExchange } from "../../../src/service/http-exchange.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { sendHttp2, sendRaw } from "./raw-http.ts";

const post = { ":method": "POST", ":path": "/v1/chat?x=1" } as const;

describe("HTTP doors", () => {
  let server: TestServer;
  let clock: FakeClock;
  let handle: (exchange: HttpExchange) => void;
  let body: Uint8Array | BodyFailure | undefined;
  let cancelled: CancelCause[];
  let handledCount: number;

  const echo = (exchange: HttpExchange): void => {
    exchange.readBody((read) => {
      body = read;
      if (typeof read === "string") exchange.respond(read === "too_large" ? 413 : 400, {}, read);
      else exchange.respond(200, { "x-door": exchange.path }, Buffer.from(read).toString());
    });
  };

  beforeEach(async () => {
    clock = new FakeClock();
    body = undefined;
    cancelled = [];
    handledCount = 0;
    handle = echo;
    const door: HttpDoor = {
      serves: (path) => path.startsWith("/v1/"),
      handle: (exchange) => {
        exchange.onCancel((cause) => cancelled.push(cause));
        handledCount++;
        handle(exchange);
      },
    };
    server = await startTestServer({ clock, doors: [door] });
  });

  afterEach(async () => {
    const drained = server.drain();
    await clock.advance(5_000);
    await drained;
  });

  it("answer over HTTP/2", async () => {
    const answer = await sendHttp2(server.port, { ...post, "x-request-id": "door-1" }, Buffer.from("hello"));
    expect(answer).to.deep.include({ status: 200, body: "hello", resetCode: 0 });
    expect(answer.headers).to.include({ "x-door": "/v1/chat", "x-request-id": "door-1" });
  });

  it("answer over HTTP/1.1, request after request on one connection", async () => {
    const request = "POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n";
    const answer = await sendRaw(server.port, `${request}\r\nfirst${request}Connection: close\r\n\r\nagain`);
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).to.have.length(2);
    expect(answer).to.contain("first").and.contain("again");
    expect(cancelled).to.deep.equal([]);
  });

  it("get the first value of headers, the method and the path without the query", async () => {
    let seen: unknown[] = [];
    handle = (exchange) => {
      seen = [
        exchange.httpMethod,
        exchange.path,
        exchange.header("authorization"),
        exchange.header("nothing"),
      ];
      exchange.respond(204, {}, "");
    };
    await sendHttp2(server.port, { ...post, ":method": "PUT", authorization: "Bearer x" });
    expect(seen).to.deep.equal(["PUT", "/v1/chat", "Bearer x", undefined]);
  });

  it("are given a body of the limit, and told of a larger one", async () => {
    const { maxRequestBytes } = server.config;
    expect((await sendHttp2(server.port, post, Buffer.alloc(maxRequestBytes, "x"))).status).to.equal(200);
    expect(body).to.have.length(maxRequestBytes);
    expect((await sendHttp2(server.port, post, Buffer.alloc(maxRequestBytes + 1, "x"))).status).to.equal(413);
    const announced = `POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${maxRequestBytes + 1}\r\n\r\n`;
    expect(await sendRaw(server.port, announced))
      .to.match(/^HTTP\/1\.1 413 /)
      .and.match(/\r\nconnection: close\r\n/i);
  });

  it("are told of a compressed body", async () => {
    await sendHttp2(server.port, { ...post, "content-encoding": "gzip" }, Buffer.from("hello"));
    expect(body).to.equal("unsupported_encoding");
  });

  it("are told of a body that the deadline cut short, and still answer", async () => {
    const answer = sendRaw(
      server.port,
      "POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhell",
    );
    await eventually(() => expect(handledCount).to.equal(1));
    await clock.advance(10_000);
    await eventually(() => expect(body).to.equal("cut_short"));
    expect(await answer).to.match(/^HTTP\/1\.1 400 /);
    expect(cancelled).to.deep.equal(["deadline"]);
  });

  it("hear that their caller left", async () => {
    handle = () => {};
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET /v1/chat HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await eventually(() => expect(handledCount).to.equal(1));
    socket.destroy();
    await eventually(() => expect(cancelled).to.deep.equal(["caller_gone"]));
    await eventually(() =>
      expect(server.logger.find("call")[0]).to.include({ code: "CANCELLED", protocol: "http" }),
    );
  });

  it("are answered for with 504 when they do not answer at the deadline", async () => {
    handle = () => {};
    const answer = sendHttp2(server.port, post);
    await eventually(() => expect(handledCount).to.equal(1));
    await clock.advance(10_000);
    expect(cancelled).to.deep.equal(["deadline"]);
    await clock.advance(250);
    expect((await answer).status).to.equal(504);
  });

  it("can break an answer off so that it cannot be taken for whole", async () => {
    handle = (exchange) => {
      exchange.begin(200, { "content-type": "text/event-stream" });
      exchange.write("data: a\n\n");
      exchange.abort();
    };
    expect((await sendHttp2(server.port, post)).resetCode).to.be.greaterThan(0);
    const raw = await sendRaw(server.port, "GET /v1/chat HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(raw, "what was written before").to.include("data: a\n\n");
    expect(raw, "the end of a whole body").to.not.match(/\r\n0\r\n\r\n$/);
  });

  for (const httpVersion of ["HTTP/1.1", "HTTP/2"]) {
    it(`are held back by a slow reader and go on when there is room (${httpVersion})`, async () => {
      let writtenBytes = 0;
      let drainCount = 0;
      const chunk = "x".repeat(64 * 1024);
      const totalBytes = 1_000 * chunk.length;
      handle = (exchange) => {
        const pump = (): void => {
          while (writtenBytes < totalBytes) {
            writtenBytes += chunk.length;
            if (!exchange.write(chunk)) return;
          }
          exchange.end();
        };
        exchange.begin(200, {});
        exchange.onDrain(() => {
          drainCount++;
          pump();
        });
        pump();
      };
      const stopped = async (): Promise<void> => {
        const before = writtenBytes;
        for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
        expect(writtenBytes).to.equal(before).and.be.greaterThan(0);
      };
      let receivedBytes = 0;
      const count = (piece: Buffer): void => {
        receivedBytes += piece.length;
      };
      if (httpVersion === "HTTP/2") {
        const session = connectHttp2(server.baseUrl);
        const stream = session.request(post);
        stream.end();
        await eventually(stopped);
        expect(writtenBytes).to.be.below(totalBytes);
        stream.on("data", count);
        await new Promise((resolve) => stream.once("end", resolve));
        session.close();
      } else {
        const socket = connect(server.port, "127.0.0.1");
        socket.pause();
        socket.write("GET /v1/chat HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        await eventually(stopped);
        expect(writtenBytes).to.be.below(totalBytes);
        socket.on("data", count);
        socket.resume();
        await new Promise((resolve) => socket.once("close", resolve));
      }
      expect(receivedBytes).to.be.at.least(totalBytes);
      expect(drainCount).to.be.greaterThan(0);
    });
  }

  it("that throw are a bug: 500 with nothing of it, and the stack in the log", async () => {
    handle = () => {
      throw new Error("the secret plan");
    };
    const answer = await sendHttp2(server.port, post);
    expect(answer.status).to.equal(500);
    expect(answer.body).to.not.contain("secret");
    expect(server.logger.find("a door threw")[0]?.error).to.contain("the secret plan");
  });

  it("that throw later are a bug too, and do no harm to others", async () => {
    handle = (exchange) => {
      exchange.begin(200, {});
      exchange.write("half");
      exchange.readBody(() => {
        throw new Error("late");
      });
    };
    expect((await sendHttp2(server.port, post)).resetCode).to.be.greaterThan(0);
    handle = echo;
    expect((await sendHttp2(server.port, post)).status).to.equal(200);
    expect(server.logger.find("call")[0]?.code).to.equal("INTERNAL");
  });
});
