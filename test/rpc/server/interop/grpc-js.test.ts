import { gzipSync } from "node:zlib";
import { type Client, compressionAlgorithms, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect } from "chai";
import type { TestServer } from "../../../support/start-test-server.ts";
import { sendHttp2 } from "../raw-http.ts";
import { openGrpcJs } from "../test-clients.ts";
import { INTEROP_CASES, interopPlan as plan } from "./interop-plan.ts";
import { startInteropServer } from "./interop-server.ts";

const raw = (bytes: Buffer): Buffer => bytes;
const message = (base64: string): Buffer => Buffer.from(base64, "base64");
const inTenSeconds = (): { deadline: number } => ({ deadline: Date.now() + 10_000 });

describe("gRPC's interop cases with grpc-js", function () {
  this.timeout(20_000);
  let server: TestServer;
  let client: Client;

  before(async () => {
    server = await startInteropServer();
    client = openGrpcJs(server.port);
  });

  after(async () => {
    client.close();
    await server.drain();
  });

  const unary = (path: string, request: string, metadata = new Metadata(), options = inTenSeconds()) =>
    new Promise<{ answer: Buffer; headers: Metadata }>((resolve, reject) => {
      let headers = new Metadata();
      const call = client.makeUnaryRequest(
        path,
        raw,
        raw,
        message(request),
        metadata,
        options,
        (error, answer) => {
          if (error) reject(error);
          else resolve({ answer: answer ?? Buffer.alloc(0), headers });
        },
      );
      call.on("metadata", (received) => {
        headers = received;
      });
    });
  const open = (request: string, metadata = new Metadata(), options = inTenSeconds()) =>
    client.makeServerStreamRequest(plan.stream, raw, raw, message(request), metadata, options);
  const failure = async (run: () => Promise<unknown>): Promise<ServiceError> => {
    try {
      await run();
    } catch (error) {
      return error as ServiceError;
    }
    throw new Error("the call succeeded");
  };
  const readAll = async (stream: AsyncIterable<Buffer>): Promise<Buffer[]> => {
    const answers: Buffer[] = [];
    for await (const answer of stream) answers.push(answer);
    return answers;
  };
  const expectSizes = async (stream: AsyncIterable<Buffer>): Promise<void> => {
    const answers = await readAll(stream);
    expect(answers).to.have.length(plan.streamSizes.length);
    for (const [index, size] of plan.streamSizes.entries()) {
      expect(answers[index]?.length).to.be.within(size, size + 32);
    }
  };

  const cases: Readonly<Record<(typeof INTEROP_CASES)[number], () => Promise<void>>> = {
    async empty_unary() {
      expect((await unary(plan.list, plan.empty)).answer).to.deep.equal(message(plan.emptyAnswer));
    },
    async large_unary() {
      expect((await unary(plan.get, plan.large)).answer.equals(message(plan.largeAnswer))).to.equal(true);
    },
    async client_compressed_unary() {
      const compressing = openGrpcJs(server.port, undefined, {
        "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
      });
      await new Promise<void>((resolve, reject) => {
        compressing.makeUnaryRequest(plan.get, raw, raw, message(plan.large), (error, answer) => {
          if (error) reject(error);
          else if (answer?.equals(message(plan.largeAnswer))) resolve();
          else reject(new Error("another answer"));
        });
      });
      compressing.close();
    },
    async server_compressed_unary() {
      // Whoever compresses gets it compressed. grpc-js keeps to itself whether it came; the headers tell.
      expect((await unary(plan.get, plan.large)).answer.equals(message(plan.largeAnswer))).to.equal(true);
      const large = message(plan.large);
      const packed = gzipSync(large);
      const head = Buffer.alloc(5);
      head[0] = 1;
      head.writeUInt32BE(packed.length, 1);
      const answer = await sendHttp2(
        server.port,
        {
          ":method": "POST",
          ":path": plan.get,
          "content-type": "application/grpc",
          "grpc-encoding": "gzip",
          "grpc-accept-encoding": "gzip",
        },
        Buffer.concat([head, packed]),
      );
      expect(answer.headers["grpc-encoding"]).to.equal("gzip");
      expect(answer.body.length).to.be.below(large.length / 10);
    },
    server_streaming: () => expectSizes(open(plan.streamAll)),
    server_compressed_streaming: () => expectSizes(open(plan.streamAll)),
    async ping_pong() {
      const call = client.makeBidiStreamRequest(plan.reflect, raw, raw, inTenSeconds());
      call.write(message(plan.ping));
      let count = 0;
      for await (const answer of call) {
        expect((answer as Buffer).includes(message(plan.ping))).to.equal(true);
        if (++count < 4) call.write(message(plan.ping));
        else call.end();
      }
      expect(count).to.equal(4);
    },
    async empty_stream() {
      expect(await readAll(open(plan.streamEmpty))).to.deep.equal([]);
      const call = client.makeBidiStreamRequest(plan.reflect, raw, raw, inTenSeconds());
      call.end();
      expect(await readAll(call)).to.deep.equal([]);
    },
    async custom_metadata() {
      const metadata = new Metadata();
      metadata.set("x-request-id", "interop-1");
      metadata.set("x-some-bin", Buffer.from([0xab, 0, 0xff]));
      expect((await unary(plan.list, plan.empty, metadata)).headers.get("x-request-id")).to.deep.equal([
        "interop-1",
      ]);
      const stream = open(plan.streamAll, metadata);
      const headers = new Promise<Metadata>((resolve) => stream.once("metadata", resolve));
      await readAll(stream);
      expect((await headers).get("x-request-id")).to.deep.equal(["interop-1"]);
    },
    async status_code_and_message() {
      const wanted = { code: status.NOT_FOUND, details: plan.statusMessage };
      expect(await failure(() => unary(plan.get, plan.getStatus))).to.include(wanted);
      expect(await failure(() => readAll(open(plan.streamStatus)))).to.include(wanted);
    },
    async special_status_message() {
      const wanted = { code: status.NOT_FOUND, details: plan.specialMessage };
      expect(await failure(() => unary(plan.get, plan.getSpecial))).to.include(wanted);
    },
    async unimplemented_method() {
      expect(await failure(() => unary(plan.unimplementedMethod, plan.empty))).to.include({
        code: status.UNIMPLEMENTED,
      });
    },
    async unimplemented_service() {
      expect(await failure(() => unary(plan.unimplementedService, plan.empty))).to.include({
        code: status.UNIMPLEMENTED,
      });
    },
    async cancel_after_begin() {
      const error = await new Promise<ServiceError | null>((resolve) => {
        const call = client.makeUnaryRequest(
          plan.get,
          raw,
          raw,
          message(plan.getSleep),
          inTenSeconds(),
          resolve,
        );
        call.cancel();
      });
      expect(error).to.include({ code: status.CANCELLED });
    },
    async cancel_after_first_response() {
      const stream = open(plan.streamSleepAfterOne);
      const error = await failure(async () => {
        for await (const _ of stream) stream.cancel();
      });
      expect(error).to.include({ code: status.CANCELLED });
    },
    async timeout_on_sleeping_server() {
      const soon = (): { deadline: number } => ({ deadline: Date.now() + 50 });
      const wanted = { code: status.DEADLINE_EXCEEDED };
      expect(await failure(() => readAll(open(plan.streamSleep, undefined, soon())))).to.include(wanted);
      expect(await failure(() => unary(plan.get, plan.getSleep, undefined, soon()))).to.include(wanted);
    },
    async rpc_soak() {
      for (let count = 0; count < 500; count++) await unary(plan.list, plan.empty);
    },
    async many_at_once() {
      await Promise.all(Array.from({ length: 1_000 }, () => unary(plan.list, plan.empty)));
    },
    async large_metadata() {
      const metadata = new Metadata();
      metadata.set("x-large", "y".repeat(12_000));
      await unary(plan.list, plan.empty, metadata);
      metadata.set("x-large", "y".repeat(63 * 1024));
      await failure(() => unary(plan.list, plan.empty, metadata));
      await unary(plan.list, plan.empty);
    },
  };

  for (const name of INTEROP_CASES) it(`pass ${name}`, () => cases[name]());
});
