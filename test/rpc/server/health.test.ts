import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../../gen/health/v1/health_pb.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeMethods } from "./fake-methods.ts";
import { findTransport } from "./test-clients.ts";

describe("grpc.health.v1", () => {
  let server: TestServer;
  let client: ReturnType<ReturnType<typeof findTransport>["open"]>;

  beforeEach(async () => {
    server = await startTestServer({ methods: makeMethods({}) });
    client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
  });

  afterEach(async () => {
    client.close();
    await server.drain();
  });

  for (const service of ["", "sluice.v1.RouterService", "sluice.v1.ModelService", "grpc.health.v1.Health"]) {
    it(`checks "${service}"`, async () => {
      const health = createClient(Health, client.transport);
      expect((await health.check({ service })).status).to.equal(Status.SERVING);
      server.readiness.setReady(false);
      expect((await health.check({ service })).status).to.equal(Status.NOT_SERVING);
    });
  }

  it("answers NOT_FOUND to a check of an unknown service", async () => {
    try {
      await createClient(Health, client.transport).check({ service: "nobody" });
    } catch (error) {
      expect(ConnectError.from(error).code).to.equal(Code.NotFound);
      return;
    }
    throw new Error("the check succeeded");
  });

  it("lists every service and the whole server", async () => {
    const { statuses } = await createClient(Health, client.transport).list({});
    expect(Object.keys(statuses).sort()).to.deep.equal([
      "",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "sluice.v1.ModelService",
      "sluice.v1.RouterService",
    ]);
    for (const { status } of Object.values(statuses)) expect(status).to.equal(Status.SERVING);
  });

  it("tells a watcher at once, and again at every change and only then", async () => {
    const seen: Status[] = [];
    const leave = new AbortController();
    const watching = collect(seen, "", leave.signal);
    await eventually(() => expect(seen).to.deep.equal([Status.SERVING]));
    server.readiness.setReady(true);
    server.readiness.setReady(false);
    await eventually(() => expect(seen).to.deep.equal([Status.SERVING, Status.NOT_SERVING]));
    server.readiness.setReady(true);
    await eventually(() => expect(seen).to.deep.equal([Status.SERVING, Status.NOT_SERVING, Status.SERVING]));
    leave.abort();
    expect(await watching).to.equal(Code.Canceled);
  });

  it("holds the stream of a watcher of an unknown service open", async () => {
    const seen: Status[] = [];
    const leave = new AbortController();
    const watching = collect(seen, "nobody", leave.signal);
    await eventually(() => expect(seen).to.deep.equal([Status.SERVICE_UNKNOWN]));
    server.readiness.setReady(false);
    expect((await createClient(Health, client.transport).check({})).status).to.equal(Status.NOT_SERVING);
    expect(seen).to.deep.equal([Status.SERVICE_UNKNOWN]);
    leave.abort();
    expect(await watching).to.equal(Code.Canceled);
  });

  async function collect(seen: Status[], service: string, signal: AbortSignal): Promise<Code | undefined> {
    try {
      for await (const { status } of createClient(Health, client.transport).watch({ service }, { signal })) {
        seen.push(status);
      }
    } catch (error) {
      return ConnectError.from(error).code;
    }
    return undefined;
  }
});
