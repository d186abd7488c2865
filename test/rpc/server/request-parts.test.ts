import { gzipSync } from "node:zlib";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import type { HttpDoor } from "../../../src/service/http-exchange.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeMethods } from "./fake-methods.ts";
import { testTransports } from "./test-clients.ts";

/** Empty messages: few bytes, and an object for each. */
const MESSAGE_COUNT = 60_000;
const JSON_BODY = `{"spec":{"messages":[${"{},".repeat(MESSAGE_COUNT)}{}]}}`;

const door: HttpDoor = {
  serves: (path) => path.startsWith("/v1/"),
  handle: (exchange) =>
    exchange.readBody((body) => exchange.respond(typeof body === "string" ? 400 : 200, {}, "")),
};

describe("a request of very many parts", () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer({
      methods: makeMethods({ stream: () => expect.fail("it was parsed") }),
      doors: [door],
      config: { maxRequestBytes: 1024 * 1024 },
    });
  });

  after(() => server.drain());

  for (const { name, open } of testTransports) {
    it(`is refused before it is parsed (${name})`, async () => {
      const client = open(server.baseUrl);
      const spec = { messages: Array.from({ length: MESSAGE_COUNT }, () => ({})) };
      const call = createClient(RouterService, client.transport).streamGenerate({ spec });
      const error = await call[Symbol.asyncIterator]()
        .next()
        .then(() => undefined, ConnectError.from);
      expect(error?.code).to.equal(Code.ResourceExhausted);
      expect(error?.findDetails(ErrorInfoSchema)[0]?.metadata).to.deep.equal({ maxParts: "50000" });
      client.close();
    });
  }

  for (const [title, headers, body] of [
    ["JSON", {}, JSON_BODY],
    ["JSON that is said to be compressed with nothing", { "content-encoding": "identity" }, JSON_BODY],
    ["JSON that is compressed", { "content-encoding": "gzip" }, gzipSync(JSON_BODY)],
  ] as const) {
    it(`is refused before it is parsed (${title})`, async () => {
      const answer = await fetch(`${server.baseUrl}/sluice.v1.ModelService/GetModel`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
      expect(answer.status).to.equal(429);
      expect(await answer.text()).to.contain("more than 50000 fields or values");
    });
  }

  it("is refused before it is parsed (a door)", async () => {
    const answer = await fetch(`${server.baseUrl}/v1/x`, { method: "POST", body: JSON_BODY });
    expect(answer.status).to.equal(413);
    expect(await answer.text()).to.contain("more than 50000 fields or values");
  });
});
