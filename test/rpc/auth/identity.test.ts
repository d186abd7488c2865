import { request as httpRequest } from "node:http";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { expect } from "chai";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Health } from "../../../gen/health/v1/health_pb.ts";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { ModelService } from "../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { changeKeyFile } from "../../../src/auth/change-key-file.ts";
import { SCOPES, type Scope } from "../../../src/domain/caller.ts";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { makeKey } from "../../unit/auth/make-key.ts";
import { type GuardedSluice, startGuardedSluice } from "./start-guarded-sluice.ts";

const KEYS = SCOPES.map((scope) => ({ scope, ...makeKey({ name: `tenant-${scope}`, scopes: [scope] }) }));
const ASK = {
  spec: { messages: [{ role: Role.USER, parts: [{ part: { case: "text" as const, value: "hello" } }] }] },
};

/** The protocols over which a caller may show a key. */
const PROTOCOLS = {
  grpc: (baseUrl: string) => createGrpcTransport({ baseUrl }),
  "grpc-web over HTTP/1.1": (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
  "connect over HTTP/1.1": (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "connect over HTTP/2": (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "2" }),
} as const satisfies Record<string, (baseUrl: string) => Transport>;

function textOf(scope: Scope): string {
  const found = KEYS.find((key) => key.scope === scope);
  if (found === undefined) throw new Error(`no key for ${scope}`);
  return found.text;
}

const withKey = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });

/** `OK`, or the code and the reason of an error. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const [info] = error.findDetails(ErrorInfoSchema);
    return `${Code[error.code]} ${info?.reason}`;
  }
}

async function drainStream(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream) {
    // Only its end counts.
  }
}

describe("caller identity on the wire", () => {
  let upstream: FakeUpstream;
  let sluice: GuardedSluice;

  before(async () => {
    upstream = await FakeUpstream.start((exchange) => {
      exchange.begin();
      exchange.sendText("hi");
      exchange.finish();
    });
    sluice = await startGuardedSluice({ upstream: upstream.baseUrl, keys: KEYS.map(({ key }) => key) });
  });

  after(async () => {
    // Undefined where it could not be started; then the rest must be closed all the same.
    await (sluice as GuardedSluice | undefined)?.stop();
    await upstream.close();
  });

  const fetchPage = (path: string, key: string | undefined) =>
    fetch(`http://127.0.0.1:${sluice.adminAddress?.port}${path}`, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });

  for (const [protocol, makeTransport] of Object.entries(PROTOCOLS)) {
    describe(protocol, () => {
      let router: Client<typeof RouterService>;
      let models: Client<typeof ModelService>;
      let health: Client<typeof Health>;

      before(() => {
        const transport = makeTransport(sluice.baseUrl);
        router = createClient(RouterService, transport);
        models = createClient(ModelService, transport);
        health = createClient(Health, transport);
      });

      it("refuses whoever shows no key, a wrong one or another kind, and asks no provider", async () => {
        const before = upstream.exchanges.length;
        for (const headers of [
          {},
          withKey(makeKey().text).headers,
          withKey(`${textOf("generate")}x`).headers,
          { authorization: textOf("generate") },
          { authorization: `Basic ${textOf("generate")}` },
          { "x-api-key": textOf("generate") },
        ]) {
          expect(await outcomeOf(router.generate(ASK, { headers }))).to.equal(
            "Unauthenticated UNAUTHENTICATED",
          );
          expect(await outcomeOf(drainStream(router.streamGenerate(ASK, { headers })))).to.equal(
            "Unauthenticated UNAUTHENTICATED",
          );
        }
        expect(upstream.exchanges.length).to.equal(before);
      });

      it("lets each key do what its scope says and nothing else", async () => {
        const calls: Readonly<Record<string, readonly [Scope, (text: string) => Promise<unknown>]>> = {
          generate: ["generate", (text) => router.generate(ASK, withKey(text))],
          stream: ["generate", (text) => drainStream(router.streamGenerate(ASK, withKey(text)))],
          metrics: ["metrics", (text) => router.metrics({}, withKey(text))],
          listModels: ["models.read", (text) => models.listModels({}, withKey(text))],
          getModel: ["models.read", (text) => models.getModel({ name: "relay" }, withKey(text))],
          healthList: ["metrics", (text) => health.list({}, withKey(text))],
        };
        for (const [name, [needed, call]] of Object.entries(calls)) {
          for (const scope of SCOPES) {
            const expected = scope === needed ? "OK" : "PermissionDenied PERMISSION_DENIED";
            expect(await outcomeOf(call(textOf(scope))), `${name} with ${scope}`).to.equal(expected);
          }
        }
      });

      it("answers health checks without a key, and with a bad one", async () => {
        expect(await outcomeOf(health.check({}))).to.equal("OK");
        expect(await outcomeOf(health.check({}, withKey("nonsense")))).to.equal("OK");
      });
    });
  }

  it("keeps reflection for those who may read models", async () => {
    const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: sluice.baseUrl }));
    const ask = (headers: Record<string, string>) => {
      async function* requests() {
        yield { messageRequest: { case: "listServices" as const, value: "" } };
      }
      return outcomeOf(drainStream(client.serverReflectionInfo(requests(), { headers })));
    };
    expect(await ask({})).to.equal("Unauthenticated UNAUTHENTICATED");
    expect(await ask(withKey(textOf("generate")).headers)).to.equal("PermissionDenied PERMISSION_DENIED");
    expect(await ask(withKey(textOf("models.read")).headers)).to.equal("OK");
  });

  describe("the OpenAI door", () => {
    const chat = JSON.stringify({ model: "auto", messages: [{ role: "user", content: "hello" }] });
    const post = (text: string | undefined) =>
      fetch(`${sluice.baseUrl}/v1/chat/completions`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(text === undefined ? {} : { authorization: `Bearer ${text}` }),
        },
        body: chat,
      });

    it("answers 401 and 403 in OpenAI's shape, and serves a good key", async () => {
      for (const [text, status, code] of [
        [undefined, 401, "invalid_api_key"],
        ["sk-nonsense", 401, "invalid_api_key"],
        [textOf("metrics"), 403, "permission_denied"],
      ] as const) {
        const response = await post(text);
        expect(response.status).to.equal(status);
        const { error } = (await response.json()) as { error: { code: string; type: string } };
        expect(error).to.include({ code, type: "invalid_request_error" });
        expect(response.headers.get("x-should-retry")).to.equal("false");
      }
      expect((await post(textOf("generate"))).status).to.equal(200);
    });

    it("shows models only to those who may read them", async () => {
      const get = async (path: string, text: string) =>
        (await fetch(sluice.baseUrl + path, withKey(text))).status;
      for (const path of ["/v1/models", "/v1/models/relay"]) {
        expect(await get(path, textOf("models.read"))).to.equal(200);
        expect(await get(path, textOf("generate"))).to.equal(403);
      }
    });
  });

  it("decides before a byte of the body is there", async () => {
    for (const path of ["/sluice.v1.RouterService/Generate", "/v1/chat/completions"]) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const request = httpRequest(`${sluice.baseUrl}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json", "content-length": 60_000 },
        });
        request.on("response", (response) => {
          resolve(response.statusCode);
          response.resume();
          request.destroy();
        });
        request.on("error", reject);
        request.flushHeaders();
      });
      expect(status, path).to.equal(401);
    }
  });

  it("takes no rewritten path or host for a way around the rule", async () => {
    for (const path of [
      "/sluice.v1.RouterService/Generate/",
      "//sluice.v1.RouterService/Generate",
      "/grpc.health.v1.Health/../sluice.v1.RouterService/Generate",
      "/grpc.health.v1.Health/Check/../../sluice.v1.RouterService/Generate",
      "/sluice.v1.RouterService/%47enerate",
      "/sluice.v1.RouterService/Generate?/grpc.health.v1.Health/Check",
      "/sluice.v1.RouterService/Generate;grpc.health.v1.Health/Check",
      "/v1/models/../chat/completions",
    ]) {
      for (const host of ["127.0.0.1", "health", "localhost:1"]) {
        const before = upstream.exchanges.length;
        const status = await new Promise<number | undefined>((resolve, reject) => {
          const request = httpRequest({
            port: sluice.port,
            host: "127.0.0.1",
            path,
            method: "POST",
            headers: { host, "content-type": "application/json" },
          });
          request.on("response", (response) => {
            response.resume();
            resolve(response.statusCode);
          });
          request.on("error", reject);
          request.end('{"spec":{"messages":[{"role":"ROLE_USER","parts":[{"text":"x"}]}]}}');
        });
        expect(status, path).to.be.oneOf([400, 401, 404]);
        expect(upstream.exchanges.length).to.equal(before);
      }
    }
  });

  it("writes who called into the access log: name and key id, never the key", async () => {
    const { text, key } = KEYS[0] ?? makeKey();
    const client = createClient(RouterService, createGrpcTransport({ baseUrl: sluice.baseUrl }));
    await client.generate(ASK, {
      headers: { authorization: `Bearer ${text}`, "x-request-id": "who-called" },
    });
    const lines = sluice
      .readLog()
      .split("\n")
      .filter((line) => line.includes("who-called"));
    const call = lines.map((line) => JSON.parse(line)).find(({ message }) => message === "call");
    expect(call).to.include({ caller: "tenant-generate", credential: `key:${key.id}` });
    expect(sluice.readLog()).not.to.include(text.split("_")[2]);
  });

  it("shows no tenant anything of another: not in metrics, not in models, not on the metrics page", async () => {
    const transport = createGrpcTransport({ baseUrl: sluice.baseUrl });
    const router = createClient(RouterService, transport);
    for (let call = 0; call < 3; call++) await router.generate(ASK, withKey(textOf("generate")));
    const shown = [
      await router.metrics({}, withKey(textOf("metrics"))),
      await createClient(ModelService, transport).listModels({}, withKey(textOf("models.read"))),
      await (await fetchPage("/metrics", textOf("metrics"))).text(),
    ];
    const all = JSON.stringify(shown, (_key, value) => (typeof value === "bigint" ? `${value}` : value));
    for (const { key, text } of KEYS) {
      expect(all).not.to.include(key.name);
      expect(all).not.to.include(key.id);
      expect(all).not.to.include(text);
    }
  });

  it("shows the metrics page to the scope metrics alone, and orchestrators their pages without a key", async () => {
    expect((await fetchPage("/metrics", undefined)).status).to.equal(401);
    expect((await fetchPage("/metrics", textOf("generate"))).status).to.equal(403);
    expect((await fetchPage("/metrics", textOf("metrics"))).status).to.equal(200);
    expect((await fetchPage("/livez", undefined)).status).to.equal(200);
    expect((await fetchPage("/readyz", undefined)).status).to.equal(200);
  });

  it("writes few lines for many wrong keys, and counts the others", async () => {
    const countLines = () =>
      ["not admitted", "call"].map((name) => sluice.readLog().split(`"message":"${name}"`).length - 1);
    const [notAdmitted = 0, calls = 0] = countLines();
    const client = createClient(ModelService, createGrpcTransport({ baseUrl: sluice.baseUrl }));
    for (let each = 0; each < 120; each++) {
      expect(await outcomeOf(client.listModels({}, withKey("wrong")))).to.equal(
        "Unauthenticated UNAUTHENTICATED",
      );
    }
    const [notAdmittedAfter = 0, callsAfter = 0] = countLines();
    expect(notAdmittedAfter - notAdmitted).to.be.lessThan(100);
    expect(callsAfter - calls).to.be.lessThan(100);
  });

  it("takes a revoked key out of use when told to reload, and lets calls under way go on", async () => {
    const fresh = makeKey({ name: "short-lived" });
    const path = `${sluice.folder}/keys.json`;
    const edit = (revokedMs: number | undefined) =>
      changeKeyFile(path, (keys) => ({
        keys: [...keys.filter(({ id }) => id !== fresh.key.id), { ...fresh.key, revokedMs }],
        value: undefined,
      }));
    await edit(undefined);
    await sluice.reload();
    const client = createClient(RouterService, createGrpcTransport({ baseUrl: sluice.baseUrl }));
    const stream = client.streamGenerate(ASK, withKey(fresh.text))[Symbol.asyncIterator]();
    await stream.next();
    await edit(1);
    await sluice.reload();
    expect(await outcomeOf(client.generate(ASK, withKey(fresh.text)))).to.equal(
      "Unauthenticated UNAUTHENTICATED",
    );
    let last = await stream.next();
    while (last.done !== true) last = await stream.next();
  });
});
