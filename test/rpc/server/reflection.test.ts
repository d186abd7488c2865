import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { create, createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { expect } from "chai";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeMethods } from "./fake-methods.ts";
import { sendHttp2 } from "./raw-http.ts";
import { findTransport } from "./test-clients.ts";

type Asked = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;

describe("reflection", () => {
  let server: TestServer;
  let client: ReturnType<ReturnType<typeof findTransport>["open"]>;

  before(async () => {
    server = await startTestServer({ methods: makeMethods({}) });
    client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
  });

  after(async () => {
    client.close();
    await server.drain();
  });

  async function ask(...asked: Asked[]): Promise<ServerReflectionResponse[]> {
    async function* requests(): AsyncGenerator<MessageInitShape<typeof ServerReflectionRequestSchema>> {
      for (const messageRequest of asked) yield { messageRequest };
    }
    const answers: ServerReflectionResponse[] = [];
    for await (const answer of createClient(ServerReflection, client.transport).serverReflectionInfo(
      requests(),
    )) {
      answers.push(answer);
    }
    return answers;
  }

  function readFiles(answer: ServerReflectionResponse | undefined): FileDescriptorProto[] {
    const { messageResponse } = answer ?? {};
    if (messageResponse?.case !== "fileDescriptorResponse") throw new Error(`got ${messageResponse?.case}`);
    return messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  }

  for (const symbol of [
    "sluice.v1.RouterService",
    "sluice.v1.RouterService.StreamGenerate",
    "sluice.v1.GenerationSpec",
    "sluice.v1.GenerationSpec.messages",
    "sluice.v1.Outcome",
    "google.rpc.ErrorInfo",
    "google.rpc.RetryInfo",
    "google.rpc.Status",
    "grpc.health.v1.HealthCheckResponse.ServingStatus",
    "grpc.health.v1.HealthCheckResponse.SERVING",
  ]) {
    it(`sends the file of ${symbol} with all it imports, the asked one first`, async () => {
      const [answer] = await ask({ case: "fileContainingSymbol", value: symbol });
      const files = readFiles(answer);
      const registry = createFileRegistry(
        create(FileDescriptorSetSchema, { file: sortImportedFirst(files, files) }),
      );
      expect(files[0]?.package).to.equal(symbol.match(/^[a-z0-9.]+(?=\.[A-Z])/)?.[0]);
      expect([...registry.files]).to.have.length(files.length);
    });
  }

  it("leaves out what the stream has sent before, but never what is asked for", async () => {
    const [first, second, third] = await ask(
      { case: "fileByFilename", value: "sluice/v1/router_service.proto" },
      { case: "fileByFilename", value: "sluice/v1/generation.proto" },
      { case: "fileByFilename", value: "google/rpc/error_details.proto" },
    );
    expect(readFiles(first).length).to.be.greaterThan(2);
    expect(readFiles(second).map(({ name }) => name)).to.deep.equal(["sluice/v1/generation.proto"]);
    expect(readFiles(third).map(({ name }) => name)).to.deep.equal(["google/rpc/error_details.proto"]);
  });

  it("answers what it does not know with an error and goes on", async () => {
    const answers = await ask(
      { case: "fileByFilename", value: "nobody.proto" },
      { case: "fileContainingSymbol", value: "nobody.Nothing" },
      { case: "fileContainingExtension", value: { containingType: "google.rpc.Status", extensionNumber: 7 } },
      { case: "allExtensionNumbersOfType", value: "nobody.Nothing" },
      { case: "allExtensionNumbersOfType", value: "google.rpc.Status" },
      { case: "listServices", value: "" },
    );
    expect(answers.map(({ messageResponse }) => messageResponse.case)).to.deep.equal([
      "errorResponse",
      "errorResponse",
      "errorResponse",
      "errorResponse",
      "allExtensionNumbersResponse",
      "listServicesResponse",
    ]);
  });

  it("speaks v1alpha too", async () => {
    async function* requests(): AsyncGenerator<{ messageRequest: { case: "listServices"; value: string } }> {
      yield { messageRequest: { case: "listServices", value: "" } };
    }
    const names: string[] = [];
    const alpha = createClient(ServerReflectionAlpha, client.transport);
    for await (const { messageResponse } of alpha.serverReflectionInfo(requests())) {
      if (messageResponse.case !== "listServicesResponse") continue;
      names.push(...messageResponse.value.service.map(({ name }) => name));
    }
    expect(names).to.include.members(["sluice.v1.RouterService", "grpc.health.v1.Health"]);
  });

  it("answers on one stream for longer than the memory for all requests would hold", async () => {
    const small = await startTestServer({
      methods: makeMethods({}),
      limits: { maxRequestMemoryBytes: 200_000 },
    });
    const other = findTransport("gRPC over HTTP/2").open(small.baseUrl);
    async function* requests() {
      for (let index = 0; index < 80; index++) {
        yield { messageRequest: { case: "fileContainingSymbol" as const, value: "x".repeat(10_000) } };
      }
    }
    let count = 0;
    const stream = createClient(ServerReflection, other.transport).serverReflectionInfo(requests());
    for await (const _ of stream) count++;
    expect(count).to.equal(80);
    other.close();
    await small.drain();
  });

  it("is not served where the configuration turns it off", async () => {
    const closed = await startTestServer({ methods: makeMethods({}), config: { reflection: false } });
    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const answer = await sendHttp2(closed.port, { ":method": "POST", ":path": path });
    expect(answer.status).to.equal(404);
    await closed.drain();
  });

  for (const protocol of ["grpc", "grpcweb", "connect"]) {
    it(`lets buf curl call a method over ${protocol} without a schema`, async () => {
      const { stdout } = await curl(
        "--protocol",
        protocol,
        "-d",
        "{}",
        `${server.baseUrl}/sluice.v1.ModelService/ListModels`,
      );
      expect(JSON.parse(stdout)).to.deep.equal({ models: [{ name: "glm" }] });
    }).timeout(10_000);
  }

  it("lets buf curl list the services", async () => {
    const { stdout } = await curl("--list-services", server.baseUrl);
    expect(stdout.trim().split("\n")).to.include.members([
      "sluice.v1.ModelService",
      "sluice.v1.RouterService",
    ]);
  }).timeout(10_000);
});

/** Every file after those it imports, as registries want them. */
function sortImportedFirst(
  files: readonly FileDescriptorProto[],
  all: readonly FileDescriptorProto[],
): FileDescriptorProto[] {
  const sorted = files.flatMap((file) => {
    const imported = all.filter(({ name }) => file.dependency.includes(name));
    return [...sortImportedFirst(imported, all), file];
  });
  return [...new Set(sorted)];
}

function curl(...args: string[]): Promise<{ stdout: string }> {
  const buf = new URL("../../../node_modules/.bin/buf", import.meta.url).pathname;
  return promisify(execFile)(buf, ["curl", "--http2-prior-knowledge", ...args]);
}
