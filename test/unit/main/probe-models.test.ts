import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { Provider } from "../../../src/domain/ports.ts";
import { describeModels } from "../../../src/main/describe-models.ts";
import { isListed, probeModels } from "../../../src/main/probe-models.ts";
import { buildProviders } from "../../../src/providers/build-providers.ts";
import { readModelList } from "../../../src/providers/http/list-models.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { sampleModel } from "../../support/sample-catalog.ts";

function makeLogger() {
  const lines: [string, object | undefined][] = [];
  const log = (message: string, fields?: object) => lines.push([message, fields]);
  return { lines, logger: { debug: log, info: log, warn: log, error: log } };
}

function makeProvider(name: string, listModels?: Provider["listModels"]): Provider {
  const start = () => {
    throw new Error("a probe starts no attempt");
  };
  return { name, simulated: false, start, close: async () => {}, ...(listModels && { listModels }) };
}

async function probe(provider: Provider, models: readonly string[]) {
  const { lines, logger } = makeLogger();
  const setAside: string[] = [];
  await probeModels({
    providers: new Map([[provider.name, provider]]),
    deployments: models.flatMap((name) => sampleModel(name, { providers: ["p"] }).deployments),
    logger,
    setAside: ({ id }) => setAside.push(id),
  });
  return { lines, setAside };
}

describe("the probe of providers at the start", () => {
  it("sets aside what a provider's list does not have, with a line that names it", async () => {
    const listed = makeProvider("p", async () => ["a-upstream"]);
    const { setAside, lines } = await probe(listed, ["a", "b"]);
    expect(setAside).to.deep.equal(["p/b"]);
    expect(lines).to.have.length(1);
    expect(lines[0]?.[0]).to.include("set aside for ten minutes");
    expect(lines[0]?.[1]).to.deep.include({ model: "b", provider: "p", upstreamModel: "b-upstream" });
  });

  it("changes nothing where there is no list or no answer", async () => {
    expect((await probe(makeProvider("p"), ["a"])).setAside).to.deep.equal([]);
    const silent = await probe(
      makeProvider("p", async () => undefined),
      ["a"],
    );
    expect(silent.setAside).to.deep.equal([]);
    expect(silent.lines[0]?.[0]).to.include("did not list");
  });

  it("believes no list that has none of the provider's models: it has other names for them", async () => {
    const azure = makeProvider("p", async () => ["gpt-4o-2024-08-06", "gpt-5-mini"]);
    const { setAside, lines } = await probe(azure, ["a", "b"]);
    expect(setAside).to.deep.equal([]);
    expect(lines[0]?.[0]).to.include("none of its models by the names here");
  });

  it("knows a model under a dated name, Ollama's usual tag, and with a way to route", () => {
    expect(isListed("claude-haiku-4-5", ["claude-haiku-4-5-20251001"])).to.equal(true);
    expect(isListed("llama3.2", ["llama3.2:latest"])).to.equal(true);
    expect(isListed("z-ai/glm-4.6:nitro", ["z-ai/glm-4.6"])).to.equal(true);
    expect(isListed("claude-3-7-sonnet-latest", ["claude-3-7-sonnet-20250219"])).to.equal(true);
    expect(isListed("claude-sonnet-4-0", ["claude-sonnet-4-20250514"])).to.equal(true);
    expect(isListed("models/gemini-2.5-flash", ["gemini-2.5-flash"])).to.equal(true);
    expect(isListed("claude-3-7-sonnet-latest", ["claude-3-7-haiku-20250219"])).to.equal(false);
    expect(isListed("gpt-5", ["gpt-5-mini", "gpt-5.4"])).to.equal(false);
    expect(isListed("x:free", ["x"])).to.equal(false);
  });

  it("reads every provider's form of the list, and takes nothing else for one", () => {
    expect(readModelList({ data: [{ id: "a" }, { id: "models/b" }, {}] })).to.deep.equal(["a", "b"]);
    expect(readModelList({ models: [{ name: "c:latest" }] })).to.deep.equal(["c:latest"]);
    for (const other of [null, [], {}, { data: {} }, { data: [] }, { data: [1] }, "x"]) {
      expect(readModelList(other)).to.equal(undefined);
    }
  });

  it("asks with the provider's own credential, and takes errors and silence for no answer", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      if (request.url === "/slow/models") return;
      response.writeHead(request.url === "/ok/models" ? 200 : 500);
      response.end(request.url === "/bad/models" ? "<html>" : JSON.stringify({ data: [{ id: "m" }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const list = async (path: string) => {
      const config = {
        kind: "openai",
        name: "p",
        baseUrl: `http://127.0.0.1:${port}/${path}`,
        apiKey: undefined,
        maxConnections: 1,
        connectTimeoutMs: 1_000,
      } as const;
      const deps = { clock: new FakeClock(), random: { next: () => 0.5 }, userAgent: "sluice/0" };
      const provider = buildProviders([config], deps).get("p");
      const names = await provider?.listModels?.(path === "slow" ? 1 : 1_000);
      await provider?.close();
      return names;
    };
    expect(await list("ok")).to.deep.equal(["m"]);
    expect(asked).to.deep.equal(["GET /ok/models undefined"]);
    for (const path of ["bad", "failing", "slow"]) expect(await list(path)).to.equal(undefined);
    server.closeAllConnections();
    server.close();
  });
});

describe("the models at the start", () => {
  it("are listed with what each name means, in order of preference", () => {
    const text = describeModels([sampleModel("a", { providers: ["p", "q"] }), sampleModel("longer")]).join(
      "\n",
    );
    expect(text).to.include("a       p/a-upstream (p/a), then q/a-upstream (q/a)");
    const simulated = sampleModel("s");
    const [deployment] = simulated.deployments;
    if (deployment === undefined) throw new Error("a sample model has a deployment");
    const lines = describeModels([{ ...simulated, deployments: [{ ...deployment, simulated: true }] }]);
    expect(lines.at(-1)).to.equal("  s  s-upstream, simulated");
    const many = Array.from({ length: 50 }, (_, index) => sampleModel(`m${index}`));
    expect(describeModels(many).at(-1)).to.include("10 more");
  });
});
