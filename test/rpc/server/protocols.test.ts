import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { expect } from "chai";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import {
  GetModelRequestSchema,
  type GetModelResponse,
  GetModelResponseSchema,
  ListModelsRequestSchema,
  ModelService,
} from "../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeTestCertificate, type TestCertificate } from "../../support/test-certificates.ts";
import { makeDelta, makeMethods } from "./fake-methods.ts";
import { describeForGrpcJs, openGrpcJs, testTransports } from "./test-clients.ts";

const MESSAGE = "field a/b: wrong; want 100 % of ü";

const methods = makeMethods({
  getModel(name, call) {
    if (name === "throw") throw new Error("the secret plan");
    if (name === "unencodable") {
      const tiers = { speed: 2 ** 40, quality: 1, cost: 1 };
      call.respond(create(GetModelResponseSchema, { model: { tiers } }));
      return;
    }
    call.fail({
      reason: name === "overloaded" ? "UPSTREAM_OVERLOADED" : "INVALID_REQUEST",
      message: MESSAGE,
      ...(name === "overloaded" ? { retryAfterMs: 1_500 } : {}),
      violations: [{ field: "name", description: "must be known" }],
    });
  },
  stream(call) {
    call.write([makeDelta(0), makeDelta(1)]);
    call.write([makeDelta(2)]);
    if (call.requestId === "fail-in-stream") call.fail({ reason: "STREAM_INTERRUPTED", message: MESSAGE });
    else call.end();
  },
});

describe("the RPC protocols on one port", () => {
  let certificate: TestCertificate;
  let plain: TestServer;
  let tls: TestServer;

  before(async () => {
    certificate = await makeTestCertificate();
    plain = await startTestServer({ methods });
    tls = await startTestServer({ methods, config: { tls: certificate.tls } });
  });

  after(async () => {
    await Promise.all([plain.drain(), tls.drain(), certificate.remove()]);
  });

  for (const { name, open } of testTransports) {
    for (const security of ["cleartext", "TLS"] as const) {
      describe(`${name}, ${security}`, () => {
        let client: ReturnType<typeof open>;
        beforeEach(() => {
          client = security === "TLS" ? open(tls.baseUrl, certificate.ca) : open(plain.baseUrl);
        });
        afterEach(() => client.close());

        it("answers a unary call and echoes its request id", async () => {
          let requestId: string | null = null;
          const { models } = await createClient(ModelService, client.transport).listModels(
            {},
            {
              headers: { "x-request-id": "test:1" },
              onHeader: (header) => {
                requestId = header.get("x-request-id");
              },
            },
          );
          expect(models.map((model) => model.name)).to.deep.equal(["glm"]);
          expect(requestId).to.equal("test:1");
        });

        it("sends a stream in order and to its end", async () => {
          const sequence: number[] = [];
          for await (const message of createClient(RouterService, client.transport).streamGenerate({})) {
            sequence.push(message.sequenceNumber);
          }
          expect(sequence).to.deep.equal([0, 1, 2]);
        });

        it("carries an error with its details, its message and its trailers", async () => {
          const error = await rejection(
            createClient(ModelService, client.transport).getModel({ name: "overloaded" }),
          );
          expect(error.code).to.equal(Code.Unavailable);
          expect(error.rawMessage).to.equal(MESSAGE);
          expect(error.findDetails(ErrorInfoSchema)[0]?.reason).to.equal("UPSTREAM_OVERLOADED");
          expect(error.metadata.get("grpc-retry-pushback-ms")).to.equal("1500");
        });

        it("ends a stream with an error after the messages that were sent", async () => {
          const sequence: number[] = [];
          const stream = createClient(RouterService, client.transport).streamGenerate(
            {},
            { headers: { "x-request-id": "fail-in-stream" } },
          );
          const error = await rejection(
            (async () => {
              for await (const message of stream) sequence.push(message.sequenceNumber);
            })(),
          );
          expect(sequence).to.deep.equal([0, 1, 2]);
          expect(error.code).to.equal(Code.Aborted);
          expect(error.rawMessage).to.equal(MESSAGE);
        });
      });
    }
  }

  for (const security of ["cleartext", "TLS"] as const) {
    describe(`grpc-js, ${security}`, () => {
      let client: Client;
      beforeEach(() => {
        client =
          security === "TLS"
            ? openGrpcJs(tls.port, credentials.createSsl(Buffer.from(certificate.ca)))
            : openGrpcJs(plain.port);
      });
      afterEach(() => client.close());

      it("reads the message of an error as it was written", async () => {
        const error = await callGetModel(client, "any");
        expect(error.code).to.equal(3);
        expect(error.details).to.equal(MESSAGE);
        expect(error.metadata.get("grpc-status-details-bin")).to.have.length(1);
      });

      it("answers unary calls", async () => {
        const { path, serialize, deserialize } = describeForGrpcJs(ModelService.method.listModels);
        const names = await new Promise((resolve, reject) => {
          const request = create(ListModelsRequestSchema);
          client.makeUnaryRequest(path, serialize, deserialize, request, (error, response) => {
            if (error) reject(error);
            else resolve(response?.models.map((model) => model.name));
          });
        });
        expect(names).to.deep.equal(["glm"]);
      });
    });
  }

  it("says which field was wrong", async () => {
    const client = testTransports[0]?.open(plain.baseUrl);
    if (client === undefined) throw new Error("there is no transport");
    const error = await rejection(createClient(ModelService, client.transport).getModel({}));
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).to.equal("name");
  });

  it("hides what a handler threw from the caller and shows it in the log, under the request id", async () => {
    const client = openGrpcJs(plain.port);
    const metadata = new Metadata();
    metadata.set("x-request-id", "boom-1");
    const error = await callGetModel(client, "throw", metadata);
    client.close();
    expect(error.code).to.equal(13);
    expect(error.details).to.contain("boom-1").and.not.contain("secret");
    const line = plain.logger.find("a handler threw")[0];
    expect(line?.requestId).to.equal("boom-1");
    expect(line?.error).to.contain("the secret plan");
  });

  it("answers INTERNAL where a handler's message cannot be encoded, and logs it as a bug", async () => {
    const client = openGrpcJs(plain.port);
    const metadata = new Metadata();
    metadata.set("x-request-id", "bad-1");
    const error = await callGetModel(client, "unencodable", metadata);
    client.close();
    expect(error.code).to.equal(13);
    expect(plain.logger.find("an answer could not be encoded")[0]?.requestId).to.equal("bad-1");
  });

  it("writes one access log line per call", async () => {
    const client = openGrpcJs(plain.port);
    const metadata = new Metadata();
    metadata.set("x-request-id", "logged-1");
    metadata.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    await callGetModel(client, "any", metadata);
    client.close();
    const lines = await eventually(() => {
      const found = plain.logger.find("call").filter((line) => line.requestId === "logged-1");
      expect(found).to.have.length(1);
      return found;
    });
    expect(lines[0]).to.include({
      level: "info",
      method: "sluice.v1.ModelService/GetModel",
      protocol: "grpc",
      code: "INVALID_ARGUMENT",
      traceId: "0af7651916cd43dd8448eb211c80319c",
    });
    expect(lines[0]?.peer).to.match(/^127\.0\.0\.1:\d+$/);
    expect(lines[0]?.durationMs).to.be.within(0, 2_000);
  });
});

async function rejection(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}

function callGetModel(client: Client, name: string, metadata = new Metadata()): Promise<ServiceError> {
  const { path, serialize, deserialize } = describeForGrpcJs(ModelService.method.getModel);
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, _response?: GetModelResponse): void => {
      if (error) resolve(error);
      else reject(new Error("the call succeeded"));
    };
    client.makeUnaryRequest(
      path,
      serialize,
      deserialize,
      create(GetModelRequestSchema, { name }),
      metadata,
      done,
    );
  });
}
