import { readFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { expect } from "chai";
import { GenerateRequestSchema, RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import { defineMethod } from "../../src/cli/service-definition.ts";
import { startReferenceServer } from "../support/reference-server.ts";

describe("the service config of docs/clients.md", () => {
  let serviceConfig = "";

  before(async () => {
    const docs = await readFile(new URL("../../docs/clients.md", import.meta.url), "utf8");
    serviceConfig = /```json\n([\s\S]*?)```/.exec(docs)?.[1] ?? "";
  });

  /** Calls a server that always refuses; returns how often it was asked. */
  async function countAttempts(code: number, trailers: Readonly<Record<string, string>>): Promise<number> {
    let attemptCount = 0;
    const server = await startReferenceServer({
      generate() {
        attemptCount++;
        return { code, message: "refused", reason: "DRAINING", trailers };
      },
    });
    const client = new Client(server.address, credentials.createInsecure(), {
      "grpc.service_config": serviceConfig,
    });
    try {
      const { path, requestSerialize, responseDeserialize } = defineMethod(RouterService.method.generate);
      const request = create(GenerateRequestSchema);
      const error = await new Promise<ServiceError | null>((resolve) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, resolve);
      });
      expect(error?.code).to.equal(code);
      return attemptCount;
    } finally {
      client.close();
      server.close();
    }
  }

  it("tries again when a replica is shutting down", async () => {
    expect(await countAttempts(14, { "grpc-retry-pushback-ms": "1" })).to.equal(3);
  });

  it("does not try again when Sluice says so", async () => {
    expect(await countAttempts(14, { "grpc-retry-pushback-ms": "-1" })).to.equal(1);
  });

  it("does not try again after a stream that broke, a refusal or a limit", async () => {
    for (const code of [10, 3, 8]) expect(await countAttempts(code, {})).to.equal(1);
  });
});
