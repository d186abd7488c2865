import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { AdminService, ResetPerformanceResponseSchema } from "../../../gen/sluice/v1/admin_service_pb.ts";
import type { Admission } from "../../../src/server/edge/admission.ts";
import { unary } from "../../../src/service/call.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { sendRaw } from "./raw-http.ts";
import { testTransports } from "./test-clients.ts";

const adminAddress = { host: "127.0.0.1", port: 0 };
/** Paths of pages that were asked for. */
const askedPaths: string[] = [];
const adminMethods = [
  unary(AdminService.method.resetPerformance, ({ name }, call) => {
    call.respond(create(ResetPerformanceResponseSchema, { deployments: [`reset ${name}`] }));
  }),
];

/** Admits nobody. */
const refusal: Admission = {
  admit({ target }) {
    if ("path" in target) {
      askedPaths.push(target.path);
      return { ok: true, caller: undefined };
    }
    return {
      ok: false,
      error: { reason: "PERMISSION_DENIED", message: "no" },
      why: "a test says so",
      caller: undefined,
    };
  },
};

describe("the methods of the admin address", () => {
  let server: TestServer;

  afterEach(() => server.drain());

  async function reset(baseUrl: string, open: (typeof testTransports)[number]["open"]) {
    const { transport, close } = open(baseUrl);
    try {
      return await createClient(AdminService, transport).resetPerformance({ name: "glm" });
    } finally {
      close();
    }
  }

  async function failReset(baseUrl: string, open: (typeof testTransports)[number]["open"]) {
    try {
      await reset(baseUrl, open);
    } catch (error) {
      return ConnectError.from(error);
    }
    throw new Error("the call was answered");
  }

  for (const { name, open } of testTransports) {
    it(`answer over ${name}, and on the callers' address there are none`, async () => {
      server = await startTestServer({ config: { adminAddress }, adminMethods });
      const adminUrl = `http://127.0.0.1:${server.adminAddress?.port}`;
      expect((await reset(adminUrl, open)).deployments).to.deep.equal(["reset glm"]);
      expect((await failReset(server.baseUrl, open)).code).to.equal(Code.Unimplemented);
    });

    it(`ask who calls over ${name}, and so do the pages`, async () => {
      server = await startTestServer({ config: { adminAddress }, adminMethods, admission: refusal });
      const port = server.adminAddress?.port ?? 0;
      expect((await failReset(`http://127.0.0.1:${port}`, open)).code).to.equal(Code.PermissionDenied);
      const page = await sendRaw(port, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      expect(page).to.match(/^HTTP\/1\.1 200 /);
      expect(askedPaths).to.include("/livez");
    });
  }

  it("leave a line in the log, which the pages do not", async () => {
    server = await startTestServer({ config: { adminAddress }, adminMethods });
    const port = server.adminAddress?.port ?? 0;
    const [transport] = testTransports;
    if (transport === undefined) throw new Error("there are no transports");
    await reset(`http://127.0.0.1:${port}`, transport.open);
    await sendRaw(port, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const levels = server.logger.find("call").map(({ level, method }) => `${level} ${method}`);
    expect(levels).to.deep.equal(["info sluice.v1.AdminService/ResetPerformance", "debug GET /livez"]);
  });

  it("are behind the same limit on requests as the callers'", async () => {
    server = await startTestServer({ config: { adminAddress, maxRequestBytes: 1_024 }, adminMethods });
    const body = JSON.stringify({ name: "x".repeat(2_000) });
    const answer = await sendRaw(
      server.adminAddress?.port ?? 0,
      `POST /sluice.v1.AdminService/ResetPerformance HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).to.match(/^HTTP\/1\.1 (413|429) /);
  });
});
