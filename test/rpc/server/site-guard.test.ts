import { create } from "@bufbuild/protobuf";
import { expect } from "chai";
import { GetModelResponseSchema } from "../../../gen/sluice/v1/model_service_pb.ts";
import { openAdmission } from "../../../src/server/edge/admission.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeMethods } from "./fake-methods.ts";
import { sendHttp2, sendRaw } from "./raw-http.ts";

const GET_MODEL = "/sluice.v1.ModelService/GetModel";
const PAGE = "https://app.example.org";

describe("web pages of others", () => {
  let servedCount = 0;
  let server: TestServer;
  const options = {
    config: { adminAddress: { host: "127.0.0.1", port: 0 } },
    metrics: { contentType: "text/plain", render: () => "up 1\n" },
    corsOrigins: [PAGE],
    methods: makeMethods({
      getModel(_name, call) {
        servedCount++;
        call.respond(create(GetModelResponseSchema));
      },
    }),
  };

  before(async () => {
    server = await startTestServer(options);
  });
  after(() => server.drain());
  beforeEach(() => {
    servedCount = 0;
  });

  const ask = (port: number, head: string) =>
    sendRaw(
      port,
      `${head}Connection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
  const askHttp2 = (headers: Record<string, string>) =>
    sendHttp2(
      server.port,
      { ":method": "POST", ":path": GET_MODEL, "content-type": "application/json", ...headers },
      Buffer.from("{}"),
    );

  it("cannot reach the server through a name of their own", async () => {
    expect(await ask(server.port, `POST ${GET_MODEL} HTTP/1.1\r\nHost: rebound.example:50051\r\n`)).to.match(
      /^HTTP\/1\.1 403 [\s\S]*server\.allowed_hosts/,
    );
    expect((await askHttp2({ ":authority": "rebound.example" })).status).to.equal(403);
    expect(servedCount).to.equal(0);
    expect(server.logger.find("refused").at(-1)).to.include({ httpStatus: 403, reason: "PERMISSION_DENIED" });
  });

  it("cannot make a browser call in their stead", async () => {
    for (const origin of ["https://evil.example", "null"]) {
      const answer = await ask(
        server.port,
        `POST ${GET_MODEL} HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\n`,
      );
      expect(answer).to.match(/^HTTP\/1\.1 403 [\s\S]*cors\.origins/);
      expect((await askHttp2({ origin })).status).to.equal(403);
    }
    expect(servedCount).to.equal(0);
  });

  it("see nothing of the admin address", async () => {
    const port = server.adminAddress?.port ?? 0;
    const rebound = await sendRaw(
      port,
      "GET /metrics HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n",
    );
    expect(rebound)
      .to.match(/^HTTP\/1\.1 403 /)
      .and.not.contain("up 1");
  });

  it("may call from configured origins, and callers that are no pages always", async () => {
    expect((await askHttp2({ origin: PAGE })).status).to.equal(200);
    expect((await askHttp2({})).status).to.equal(200);
    expect((await askHttp2({ ":authority": "localhost:1" })).status).to.equal(200);
    expect(servedCount).to.equal(3);
  });

  it("are nobody's danger where callers must show a credential", async () => {
    const guarded = await startTestServer({ ...options, admission: openAdmission });
    const answer = await ask(
      guarded.port,
      `POST ${GET_MODEL} HTTP/1.1\r\nHost: sluice.example\r\nOrigin: https://evil.example\r\n`,
    );
    expect(answer).to.match(/^HTTP\/1\.1 200 /);
    await guarded.drain();
  });
});
