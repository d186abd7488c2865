import { connect, constants } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import { GetModelRequestSchema, GetModelResponseSchema } from "../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import type { StreamCall } from "../../../src/service/call.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeDelta, makeMethods } from "./fake-methods.ts";

const GET_MODEL = "/sluice.v1.ModelService/GetModel";
const STREAM = `/${RouterService.typeName}/StreamGenerate`;

function frame(message: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

const REQUEST = frame(toBinary(GetModelRequestSchema, create(GetModelRequestSchema, { name: "m" })));

describe("plain gRPC", () => {
  let server: TestServer;
  let calls: StreamCall[];

  beforeEach(async () => {
    calls = [];
    server = await startTestServer({
      methods: makeMethods({
        getModel(_name, call) {
          call.respond(create(GetModelResponseSchema));
        },
        stream(call) {
          calls.push(call);
        },
      }),
    });
  });
  afterEach(() => server.drain());

  /** One call over a connection of its own. Trailers win over headers of the same name. */
  async function send(body: readonly Buffer[], headers: Record<string, string> = {}) {
    const session = connect(server.baseUrl);
    const stream = session.request({
      ":method": "POST",
      ":path": GET_MODEL,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const seen: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on("response", (fields) => Object.assign(seen, fields));
    stream.on("trailers", (fields) => Object.assign(seen, fields));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    for (const piece of body) stream.write(piece);
    stream.end();
    await new Promise((resolve, reject) => stream.once("close", resolve).once("error", reject));
    session.close();
    return { seen, body: Buffer.concat(chunks) };
  }

  it("answers with headers, one message and the status in trailers", async () => {
    const { seen, body } = await send([REQUEST]);
    expect(seen).to.include({ ":status": 200, "content-type": "application/grpc", "grpc-status": "0" });
    expect(body.readUInt32BE(1)).to.equal(body.length - 5);
  });

  it("speaks of protobuf as the caller does", async () => {
    const { seen } = await send([REQUEST], { "content-type": "application/grpc+proto" });
    expect(seen).to.include({ "content-type": "application/grpc+proto", "grpc-status": "0" });
  });

  for (const [title, pieces, code] of [
    ["no message", [], "12"],
    ["two messages", [REQUEST, REQUEST], "12"],
    ["a message marked as compressed", [frame(Buffer.from("x"), 1)], "13"],
    ["half a message", [REQUEST.subarray(0, 6)], "3"],
    ["bytes that are no protobuf", [frame(Buffer.from([0xff, 0xff]))], "13"],
    ["a message beyond the limit", [Buffer.from([0, 0, 255, 255, 255])], "8"],
  ] as const) {
    it(`answers ${title} with the status ${code}`, async () => {
      const { seen } = await send(pieces);
      expect(seen).to.include({ ":status": 200, "grpc-status": code });
      expect(seen["grpc-message"]).to.be.a("string").and.not.equal("");
    });
  }

  it("leaves compressed calls and time limits that cannot be read to the other way, with the same answers", async () => {
    const unknown = await send([REQUEST], { "grpc-encoding": "snappy" });
    expect(unknown.seen).to.include({ "grpc-status": "12" });
    const late = await send([REQUEST], { "grpc-timeout": "soon" });
    expect(late.seen).to.include({ "grpc-status": "3" });
  });

  it("tells a stream's handler that its caller has gone, and takes what it still says", async () => {
    const session = connect(server.baseUrl);
    const stream = session.request({
      ":method": "POST",
      ":path": STREAM,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.end(frame(Buffer.alloc(0)));
    const call = await eventually(() => {
      const [first] = calls;
      if (first === undefined) throw new Error("not yet");
      return first;
    });
    expect(call.write([makeDelta(0)])).to.equal(true);
    stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => expect(call.cancelled).to.equal("caller_gone"));
    expect(call.write([makeDelta(1)])).to.equal(true);
    call.end();
    call.fail({ reason: "INTERNAL", message: "too late" });
    await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("CANCELLED"));
    session.close();
  });

  it("tells a stream's handler to wait while its caller does not read, and to go on when it does", async () => {
    const session = connect(server.baseUrl, { settings: { initialWindowSize: 1_000 } });
    const stream = session.request({
      ":method": "POST",
      ":path": STREAM,
      "content-type": "application/grpc",
    });
    stream.end(frame(Buffer.alloc(0)));
    stream.pause();
    const call = await eventually(() => {
      const [first] = calls;
      if (first === undefined) throw new Error("not yet");
      return first;
    });
    let drainCount = 0;
    call.onDrain(() => {
      drainCount++;
      call.end();
    });
    let writtenCount = 0;
    while (call.write([makeDelta(writtenCount++, "x".repeat(1_000))]))
      expect(writtenCount).to.be.lessThan(200);
    expect(drainCount).to.equal(0);
    let receivedBytes = 0;
    stream.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
    stream.resume();
    await new Promise((resolve) => stream.once("close", resolve));
    expect(drainCount).to.equal(1);
    expect(receivedBytes).to.be.greaterThan(writtenCount * 1_000);
    session.close();
  });
});
