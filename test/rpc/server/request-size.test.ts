import { connect } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { create, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import {
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.ts";
import { Health } from "../../../gen/health/v1/health_pb.ts";
import {
  GetModelRequestSchema,
  GetModelResponseSchema,
  ModelService,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { unary } from "../../../src/service/call.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeMethods } from "./fake-methods.ts";
import { sendHttp2 } from "./raw-http.ts";
import { findTransport, testTransports } from "./test-clients.ts";

const MAX_BYTES = 64 * 1024;
const GET = "/sluice.v1.ModelService/GetModel";

async function catchError(run: () => Promise<unknown>): Promise<ConnectError> {
  try {
    await run();
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}

function expectTooLarge(error: ConnectError): void {
  expect(error.code).to.equal(Code.ResourceExhausted);
  const [info] = error.findDetails(ErrorInfoSchema);
  expect(info).to.deep.include({ reason: "REQUEST_TOO_LARGE", domain: "sluice" });
  expect(info?.metadata).to.deep.equal({ maxRequestBytes: `${MAX_BYTES}` });
  expect(error.findDetails(RequestInfoSchema)).to.have.length(1);
}

describe("a request's size", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await startTestServer({
      methods: makeMethods({ stream: (call) => call.end() }),
      config: { maxRequestBytes: MAX_BYTES },
      limits: { maxRequestMemoryBytes: 512 * 1024 },
    });
  });

  afterEach(() => server.drain());

  for (const { name, open } of testTransports) {
    it(`may be the limit, and one byte more is REQUEST_TOO_LARGE (${name})`, async () => {
      const client = open(server.baseUrl);
      const models = createClient(ModelService, client.transport);
      const frame =
        toBinary(GetModelRequestSchema, create(GetModelRequestSchema, { name: "x".repeat(40_000) })).length -
        40_000;
      const answer = await models.getModel({ name: "x".repeat(MAX_BYTES - frame) });
      expect(answer.model?.name).to.have.length(MAX_BYTES - frame);
      expectTooLarge(await catchError(() => models.getModel({ name: "x".repeat(MAX_BYTES - frame + 1) })));
      client.close();
    });

    it(`is REQUEST_TOO_LARGE for streams too (${name})`, async () => {
      const client = open(server.baseUrl);
      const error = await catchError(async () => {
        const spec = {
          messages: [{ parts: [{ part: { case: "text" as const, value: "x".repeat(2 * MAX_BYTES) } }] }],
        };
        for await (const _ of createClient(RouterService, client.transport).streamGenerate({ spec })) {
          // Nothing comes.
        }
      });
      expectTooLarge(error);
      client.close();
    });
  }

  const message = toBinary(
    GetModelRequestSchema,
    create(GetModelRequestSchema, { name: "x".repeat(200_000) }),
  );
  for (const [encoding, bytes] of [
    ["gzip", gzipSync(message)],
    ["br", brotliCompressSync(message)],
  ] as const) {
    it(`counts after ${encoding} is undone`, async () => {
      expect(bytes.length).to.be.below(1_000);
      const head = Buffer.alloc(5);
      head.writeUInt8(1);
      head.writeUInt32BE(bytes.length, 1);
      const headers = { ":method": "POST", ":path": GET };
      const unary = await sendHttp2(
        server.port,
        { ...headers, "content-type": "application/proto", "content-encoding": encoding },
        bytes,
      );
      expect(unary.status).to.equal(429);
      expect(unary.body).to.contain('"resource_exhausted"').and.contain(`more than ${MAX_BYTES} bytes`);
      const web = await sendHttp2(
        server.port,
        { ...headers, "content-type": "application/grpc-web+proto", "grpc-encoding": encoding },
        Buffer.concat([head, bytes]),
      );
      expect(web.body).to.contain("grpc-status: 8").and.contain(`more%20than%20${MAX_BYTES}%20bytes`);
    });

    it(`answers INVALID_ARGUMENT to what is no ${encoding}`, async () => {
      const answer = await sendHttp2(
        server.port,
        {
          ":method": "POST",
          ":path": GET,
          "content-type": "application/proto",
          "content-encoding": encoding,
        },
        Buffer.from("this is no such thing"),
      );
      expect(answer.status).to.equal(400);
      expect(answer.body).to.contain("invalid_argument");
    });
  }

  const many = Buffer.alloc(40_000, Buffer.from([0x10, 0x01]));
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(many.length, 1);
  for (const [form, headers, body] of [
    ["plain gRPC", { "content-type": "application/grpc", te: "trailers" }, Buffer.concat([envelope, many])],
    ["gRPC-Web", { "content-type": "application/grpc-web+proto" }, Buffer.concat([envelope, many])],
    ["Connect", { "content-type": "application/proto" }, many],
    ["gzip", { "content-type": "application/proto", "content-encoding": "gzip" }, gzipSync(many)],
  ] as const) {
    it(`is small where anybody may ask: ${form}`, async () => {
      const target = { ":method": "POST", ":path": "/grpc.health.v1.Health/Check" };
      await sendHttp2(server.port, { ...target, ...headers }, body);
      await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("RESOURCE_EXHAUSTED"));
    });

    it(`has nothing in memory that is not in the contract: ${form}`, async () => {
      const requests: Message[] = [];
      const open = await startTestServer({
        methods: [
          unary(ModelService.method.getModel, (request, call) => {
            requests.push(request);
            call.respond(create(GetModelResponseSchema));
          }),
        ],
      });
      await sendHttp2(open.port, { ":method": "POST", ":path": GET, ...headers }, body);
      expect(requests).to.have.length(1);
      expect(requests[0]?.$unknown).to.equal(undefined);
      await open.drain();
    });
  }

  it("leaves room for calls where strangers watch the server's health", async () => {
    const small = await startTestServer({
      methods: makeMethods({}),
      limits: { maxRequestMemoryBytes: 1024 * 1024 },
    });
    const watcher = findTransport("gRPC over HTTP/2").open(small.baseUrl);
    const health = createClient(Health, watcher.transport);
    const leave = new AbortController();
    const watches = Array.from({ length: 120 }, async () => {
      for await (const _ of health.watch({}, { signal: leave.signal })) {
        // They stay.
      }
    }).map((watch) => catchError(() => watch));
    await eventually(() => expect(small.logger.find("call")).to.have.length(112));
    await createClient(ModelService, watcher.transport).listModels({});
    leave.abort();
    const codes = (await Promise.all(watches)).map(({ code }) => code);
    expect(codes.filter((code) => code === Code.ResourceExhausted)).to.have.length(112);
    await eventually(() => expect(small.logger.find("call")).to.have.length(121));
    for await (const _ of health.watch({})) break;
    watcher.close();
    await small.drain();
  });

  it("tells when to come again where all requests together are too large", async () => {
    const many = testTransports.find(({ name }) => name === "gRPC over HTTP/2");
    if (many === undefined) throw new Error("no such transport");
    const held = await startTestServer({
      methods: makeMethods({ getModel: () => {} }),
      limits: { maxRequestMemoryBytes: 64 * 1024 },
      config: { drainTimeoutMs: 0 },
    });
    const client = many.open(held.baseUrl);
    const models = createClient(ModelService, client.transport);
    const calls = Array.from({ length: 12 }, () => catchError(() => models.getModel({})));
    const error = await Promise.race(calls);
    expect(error.code).to.equal(Code.ResourceExhausted);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).to.equal("REQUEST_TOO_LARGE");
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).to.equal(1n);
    client.close();
    await Promise.all(calls);
    await held.drain();
  });

  it("is refused so that a caller who still sends over HTTP/1.1 gets the answer", async () => {
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    const send = (text: string) => new Promise<void>((resolve) => socket.write(text, () => resolve()));
    await send(
      `POST ${GET} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n`,
    );
    await eventually(() => expect(server.logger.find("call")).to.have.length(1));
    // It has the answer by now, and has not read it.
    for (let round = 0; round < 20; round++) await send("x".repeat(10_000));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(answer).to.match(/^HTTP\/1\.1 429 /);
  });
});
