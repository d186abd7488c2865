import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { GetModelResponseSchema, ModelService } from "../../../gen/sluice/v1/model_service_pb.ts";
import type { Clock } from "../../../src/domain/ports.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeMethods } from "./fake-methods.ts";
import { sendHttp2, sendRaw } from "./raw-http.ts";
import { findTransport, testTransports } from "./test-clients.ts";

const PATH = "/sluice.v1.ModelService/ListModels";

describe("the edge", () => {
  let server: TestServer;
  let seen: { requestId: string; traceparent: string | undefined }[];

  beforeEach(async () => {
    seen = [];
    server = await startTestServer({
      methods: makeMethods({
        getModel(_name, call) {
          seen.push({ requestId: call.requestId, traceparent: call.traceparent });
          call.respond(create(GetModelResponseSchema));
        },
      }),
    });
  });

  afterEach(async () => {
    // Whatever was sent, the next caller is served.
    const answer = await sendHttp2(
      server.port,
      { ":method": "POST", ":path": PATH, "content-type": "application/json" },
      Buffer.from("{}"),
    );
    expect(answer.status).to.equal(200);
    await server.drain();
  });

  for (const [title, head] of [
    ["a Host that is no host", `POST ${PATH} HTTP/1.1\r\nHost: [\r\n`],
    ["a Host with user information", `POST ${PATH} HTTP/1.1\r\nHost: a@b\r\n`],
    ["a Host with a port beyond 65535", `POST ${PATH} HTTP/1.1\r\nHost: a:99999\r\n`],
    ["HTTP/1.0 without a Host", `POST ${PATH} HTTP/1.0\r\n`],
    ["HTTP/1.1 without a Host", `POST ${PATH} HTTP/1.1\r\n`],
    ["two Hosts", `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nhost: 127.0.0.1\r\n`],
    ["two Hosts that are the same", `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n`],
    ["bytes that are no request", "\u0001\u0002\u0003 nonsense\r\n"],
    ["a length that is no number", `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n`],
    ["a path that is a whole URL", "GET http://[/ HTTP/1.1\r\nHost: localhost\r\n"],
    ["a path that no URL parser takes", "GET //[ HTTP/1.1\r\nHost: localhost\r\n"],
  ]) {
    it(`answers 400 to ${title}`, async () => {
      const answer = await sendRaw(server.port, `${head}Connection: close\r\n\r\n`);
      // A path of `//[` is taken for a host only by parsers that resolve it: it may also be not found.
      expect(answer).to.match(/^HTTP\/1\.1 40[04] /);
      if (!head?.startsWith("GET //[")) expect(answer).to.match(/^HTTP\/1\.1 400 /);
    });
  }

  for (const authority of ["[", "a@b", "a:99999", "a b", ""]) {
    it(`answers 400 to the HTTP/2 authority "${authority}"`, async () => {
      const answer = await sendHttp2(server.port, {
        ":method": "POST",
        ":path": PATH,
        ":authority": authority,
        "content-type": "application/grpc",
      });
      // The empty one and the one with a space never leave Node's own HTTP/2 layer on one of the sides.
      if (answer.status !== undefined) expect(answer.status).to.equal(400);
      else expect(answer.resetCode).to.be.greaterThan(0);
    });
  }

  it("answers 400 to an HTTP/2 request whose authority and Host differ", async () => {
    const answer = await sendHttp2(server.port, {
      ":method": "POST",
      ":path": PATH,
      ":authority": "localhost",
      host: "127.0.0.1",
    });
    expect(answer.status).to.equal(400);
  });

  it("says in JSON what is wrong with bytes that are no request", async () => {
    const answer = await sendRaw(server.port, "\u0001\u0002\u0003 nonsense\r\n\r\n");
    expect(answer).to.match(/^HTTP\/1\.1 400 [\s\S]*connection: close/);
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "").error.code).to.equal("INVALID_REQUEST");
  });

  it("answers nonsense behind a request after that request's answer", async () => {
    const answer = await sendRaw(
      server.port,
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}\u0001\r\n\r\n`,
    );
    expect(answer).to.match(/^HTTP\/1\.1 200 [\s\S]*\}HTTP\/1\.1 400 /);
  });

  it("says in JSON that a host is missing", async () => {
    const answer = await sendRaw(server.port, `POST ${PATH} HTTP/1.1\r\nConnection: close\r\n\r\n`);
    expect(answer).to.contain("the request names no host");
  });

  it("makes the answer to an upgrade the last one, since what comes right behind it is lost", async () => {
    const answer = await sendRaw(
      server.port,
      "GET /one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" +
        "GET /two HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    expect(answer.match(/HTTP\/1\.1 /g)).to.have.length(1);
    expect(answer).to.match(/^HTTP\/1\.1 404 [\s\S]*connection: close/);
  });

  it("answers 417 to an expectation that nobody can meet", async () => {
    const answer = await sendRaw(
      server.port,
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nExpect: nonsense\r\nConnection: close\r\n\r\n`,
    );
    expect(answer)
      .to.match(/^HTTP\/1\.1 417 /)
      .and.contain("100-continue");
    expect(answer).to.match(/\r\nx-request-id: /);
  });

  it("says 400 for a bad authority itself", async () => {
    const answer = await sendHttp2(server.port, { ":method": "POST", ":path": PATH, ":authority": "[" });
    expect(answer.status).to.equal(400);
    expect(server.logger.find("refused")[0]).to.include({ httpStatus: 400, reason: "INVALID_REQUEST" });
  });

  it("writes few lines for many requests that it refuses", async () => {
    const session = connectHttp2(server.baseUrl);
    for (let each = 0; each < 120; each++) {
      const stream = session.request({ ":method": "GET", ":path": "/nothing" });
      await new Promise((resolve) => stream.once("close", resolve).resume());
    }
    session.close();
    expect(server.logger.find("refused")).to.have.length.within(50, 100);
  });

  it("answers 414 to a path of more than 8,192 characters", async () => {
    const answer = await sendRaw(
      server.port,
      `GET /${"a".repeat(8_192)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).to.match(/^HTTP\/1\.1 414 /);
  });

  it("answers 431 to headers beyond the limit over HTTP/1.1", async () => {
    const answer = await sendRaw(
      server.port,
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"a".repeat(17_000)}\r\n\r\n`,
    );
    expect(answer).to.match(/^HTTP\/1\.1 431 /);
  });

  it("answers 431 to headers beyond the limit over HTTP/2, and resets far beyond it", async () => {
    const headers = { ":method": "POST", ":path": PATH };
    const answer = await sendHttp2(server.port, { ...headers, "x-long": "a".repeat(17_000) });
    expect(answer.status).to.equal(431);
    const far = await sendHttp2(server.port, { ...headers, "x-long": "a".repeat(70_000) });
    expect(far.status).to.equal(undefined);
    expect(far.resetCode).to.be.greaterThan(0);
  });

  it("answers 404 where nothing is served, which gRPC callers see as UNIMPLEMENTED", async () => {
    const answer = await sendHttp2(server.port, {
      ":method": "POST",
      ":path": "/sluice.v1.RouterService/Nothing",
    });
    expect(answer.status).to.equal(404);
  });

  it("takes the caller's request id, and makes one where it is not acceptable", async () => {
    const ids = ["a.b:c-d_1", "x".repeat(128), "x".repeat(129), "no spaces", undefined];
    const answers = await Promise.all(
      ids.map((id) =>
        sendHttp2(server.port, {
          ":method": "GET",
          ":path": "/",
          ...(id === undefined ? {} : { "x-request-id": id }),
        }),
      ),
    );
    const [first, second, ...made] = answers.map(({ headers }) => headers["x-request-id"]);
    expect([first, second]).to.deep.equal(ids.slice(0, 2));
    for (const id of made) expect(id).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it("passes a valid traceparent on and drops others", async () => {
    const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const client = findTransport("Connect over HTTP/1.1").open(server.baseUrl);
    const models = createClient(ModelService, client.transport);
    await models.getModel({}, { headers: { traceparent: valid } });
    await models.getModel(
      {},
      { headers: { traceparent: valid.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32)) } },
    );
    expect(seen.map(({ traceparent }) => traceparent)).to.deep.equal([valid, undefined]);
  });

  for (const { name, open } of testTransports) {
    it(`refuses a request that is too large with RESOURCE_EXHAUSTED (${name})`, async () => {
      const client = open(server.baseUrl);
      const error = await rejection(() =>
        createClient(ModelService, client.transport).getModel({ name: "x".repeat(70_000) }),
      );
      client.close();
      expect(error.code).to.equal(Code.ResourceExhausted);
      expect(seen).to.deep.equal([]);
      await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("RESOURCE_EXHAUSTED"));
    });
  }

  it("refuses by the announced length before the body comes", async () => {
    const answer = await sendRaw(
      server.port,
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n`,
    );
    expect(answer)
      .to.match(/^HTTP\/1\.1 429 /)
      .and.match(/"code":"resource_exhausted"/);
  });

  it("writes the status of calls that end before their handler", async () => {
    const send = (contentType: string, body: Buffer): Promise<unknown> =>
      sendHttp2(server.port, { ":method": "POST", ":path": PATH, "content-type": contentType }, body);
    const garbage = Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff]);
    await send("application/grpc", garbage);
    await send("application/grpc-web", garbage);
    await send("application/json", Buffer.from("{zz"));
    await eventually(() => expect(server.logger.find("call")).to.have.length(3));
    const codes = server.logger.find("call").map(({ code }) => code);
    expect(codes).to.not.include("OK").and.not.include("UNKNOWN");
    expect(codes[2]).to.equal("INVALID_ARGUMENT");
  });

  for (const contentType of ["application/grpc+json", "application/grpc-web+json"]) {
    it(`answers INVALID_ARGUMENT to half of a surrogate pair in ${contentType}`, async () => {
      const json = Buffer.from('"\\ud800"');
      const head = Buffer.from([0, 0, 0, 0, json.length]);
      const answer = await sendHttp2(
        server.port,
        { ":method": "POST", ":path": PATH, "content-type": contentType },
        Buffer.concat([head, json]),
      );
      expect(answer.headers).to.include({ ":status": 200, "grpc-status": "3" });
      await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("INVALID_ARGUMENT"));
      expect(server.logger.find("an answer could not be sent")).to.deep.equal([]);
    });
  }

  it("prints nothing by itself, whatever callers do", async () => {
    const printed: unknown[] = [];
    const { error } = console;
    console.error = (...values: unknown[]) => printed.push(values);
    try {
      const socket = connect(server.port, "127.0.0.1");
      socket.write(
        `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
      );
      await eventually(() => expect(server.logger).to.not.equal(undefined));
      socket.resetAndDestroy();
      await eventually(() => expect(server.logger.find("call")).to.have.length(1));
    } finally {
      console.error = error;
    }
    expect(printed).to.deep.equal([]);
    expect(server.logger.find("call")[0]?.code).to.equal("CANCELLED");
  });
});

describe("connections that stay silent", () => {
  it("are closed after ten seconds", async () => {
    const due: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      timer(delayMs, fn) {
        if (delayMs !== 10_000) return systemClock.timer(delayMs, fn);
        due.push(fn);
        return () => due.splice(due.indexOf(fn), 1);
      },
    };
    const server = await startTestServer({ clock });
    const socket = connect(server.port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.write("PR");
    await eventually(() => expect(due).to.have.length(1));
    due[0]?.();
    await closed;
    await server.drain();
  });
});

describe("a connection whose last answer is out", () => {
  it("is closed when more requests come than would be taken at once", async () => {
    // Without the two seconds that it may stay open.
    const clock: Clock = {
      ...systemClock,
      timer: (delayMs, fn) => (delayMs === 2_000 ? () => {} : systemClock.timer(delayMs, fn)),
    };
    const server = await startTestServer({ clock });
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.resume();
    socket.write("POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n");
    await new Promise((resolve) => socket.once("end", resolve));
    socket.write("x");
    const send = (): void => {
      if (socket.destroyed) return;
      socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", () => setImmediate(send));
    };
    send();
    await closed;
    await server.drain();
  });
});

describe("a request that was refused over HTTP/2 while its caller still sends", () => {
  for (const [title, headers] of [
    ["a path that is not served", { ":path": "/nope" }],
    ["a method that is not served", { ":path": "/no.Such/Method", "content-type": "application/grpc" }],
    ["a host that is none", { ":path": PATH, ":authority": "[" }],
    ["a door's path without a credential", { ":path": "/v1/x" }],
    ["an expectation that nobody can meet", { ":path": PATH, expect: "nonsense" }],
  ] as const) {
    it(`is stopped five seconds later: ${title}`, async () => {
      const due: (() => void)[] = [];
      const clock: Clock = {
        ...systemClock,
        timer(delayMs, fn) {
          if (delayMs !== 5_000) return systemClock.timer(delayMs, fn);
          due.push(fn);
          return () => due.splice(due.indexOf(fn), 1);
        },
      };
      const server = await startTestServer({
        clock,
        doors: [{ serves: (path) => path === "/v1/x", handle: (exchange) => exchange.abort() }],
        admission: {
          admit: () => ({
            ok: false,
            error: { reason: "UNAUTHENTICATED", message: "who are you?" },
            why: "a test",
            caller: undefined,
          }),
        },
      });
      const session = connectHttp2(`http://127.0.0.1:${server.port}`);
      const stream = session.request({ ":method": "POST", ...headers }, { endStream: false });
      const closed = new Promise((resolve) => stream.once("close", resolve));
      stream.on("error", () => {});
      stream.resume();
      await eventually(() => expect(due).to.have.length(1));
      expect(stream.closed).to.equal(false);
      due[0]?.();
      await closed;
      expect(due).to.have.length(0);
      session.close();
      await server.drain();
    });
  }
});

async function rejection(run: () => Promise<unknown>): Promise<ConnectError> {
  try {
    await run();
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}
