import { expect } from "chai";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { measureWidth } from "../../src/cli/text-width.ts";
import { type ReferenceServer, startReferenceServer } from "../support/reference-server.ts";
import { TestTerminal } from "./test-terminal.ts";

const MODELS = [
  {
    name: "glm-4.6v-flash",
    description: "快速的视觉模型",
    capabilities: { contextWindowTokenCount: 128_000, maxOutputTokenCount: 4096, vision: true, tools: true },
    tiers: { speed: 1, quality: 3, cost: 2 },
    price: { inputNanoUsd: 600_000_000n, outputNanoUsd: 2_200_000_000n, cachedInputNanoUsd: 110_000_000n },
    deployments: [
      {
        id: "glm/glm-4.6v-flash",
        provider: "glm",
        upstreamModel: "glm-4.6v-flash",
        price: {
          currencyCode: "CNY",
          bands: [
            {
              belowInputTokenCount: 32_000n,
              belowOutputTokenCount: 200n,
              inputNano: 2_000_000_000n,
              outputNano: 8_000_000_000n,
              cachedInputNano: 400_000_000n,
            },
            { inputNano: 4_000_000_000n, outputNano: 16_000_000_000n },
          ],
        },
      },
    ],
  },
  {
    name: "glm-4-long",
    capabilities: { longContext: true },
    deployments: [{ id: "sim/long", provider: "sim", upstreamModel: "long", simulated: true }],
  },
];

describe("sluice models", () => {
  let server: ReferenceServer | undefined;

  afterEach(() => server?.close());

  async function run(args: readonly string[], columnCount = 80) {
    server?.close();
    server = await startReferenceServer({
      listModels: () => ({ models: MODELS }),
      getModel: ({ name }) => {
        const model = MODELS.find((each) => each.name === name);
        return model ? { model } : { code: 5, message: `No model "${name}".`, reason: "MODEL_NOT_FOUND" };
      },
    });
    const terminal = new TestTerminal({ columnCount });
    const exit = await runCommandLine(["models", "--server", server.address, ...args], terminal);
    return { exit, out: terminal.out, err: terminal.err };
  }

  it("lists the catalog in a table that fits the terminal", async () => {
    const { exit, out } = await run([]);
    expect(exit).to.equal(0);
    for (const line of out.split("\n")) expect(measureWidth(line), line).to.be.at.most(80);
    for (const fact of ["128.0k", "4096", "1/3/2", "$0.60/$2.20", "vision tools", "快速的视觉模型"]) {
      expect(out).to.contain(fact);
    }
  });

  it("tells all about one model", async () => {
    const { out } = await run(["glm-4.6v-flash"]);
    expect(out).to.contain("$0.60 in ($0.11 when cached), $2.20 out, per million tokens");
    expect(out).to.contain(
      "billed        CN¥2.00 in (CN¥0.40 when cached), CN¥8.00 out, per million tokens: prompt below 32.0k tokens, answer below 200 tokens\n",
    );
    expect(out).to.contain("billed        CN¥4.00 in, CN¥16.00 out, per million tokens\n");
    const unpriced = await run(["glm-4-long"]);
    expect(unpriced.out).to.match(/price +not known/);
    expect(unpriced.out).to.contain("SIMULATION");
  });

  it("prints JSON with --json", async () => {
    expect(JSON.parse((await run(["--json"])).out).models).to.have.length(2);
    expect(JSON.parse((await run(["glm-4-long", "--json"])).out).model.name).to.equal("glm-4-long");
  });

  it("reports a name that the catalog does not have", async () => {
    const { exit, err } = await run(["nope"]);
    expect(exit).to.equal(1);
    expect(err).to.contain('NOT_FOUND MODEL_NOT_FOUND\n  No model "nope".');
  });
});
