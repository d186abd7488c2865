import { expect } from "chai";
import type { Chain } from "../../../src/domain/targets.ts";
import { driveRequest, driveWell } from "../../router/drive-request.ts";
import { RouterBench } from "../../support/router-bench.ts";
import { sampleModel } from "../../support/sample-catalog.ts";
import { sampleChain } from "../core/candidates/sample-targets.ts";

const ROLES = {
  primary: ["llama-1b", "phi-3-mini"],
  duplicate: ["llama-3b", "wizardlm"],
  reserve: ["gemma-27b", "mistral-small"],
  fallback: ["kat-coder-free", "remm-slerp"],
};
const MAIN = { target: { kind: "named", name: "main" } } as const;

function chainBench(changes: Partial<Chain> = {}): RouterBench {
  const models = Object.values(ROLES)
    .flat()
    .map((name) => sampleModel(name));
  return new RouterBench(models, {
    maxAttempts: 8,
    targets: { chains: [sampleChain("main", ROLES, { selection: "fastest", ...changes })] },
  });
}

describe("seed 003, Single Model, walked", () => {
  it("Выбирается самая быстрая primary модель — once both are measured the faster primary answers", async () => {
    const bench = chainBench();
    for (const delayMs of [900, 100]) {
      const { consumer } = bench.route(MAIN);
      const started = consumer.log[0]?.split(" ")[1]?.split("/")[0] ?? "";
      await bench.clock.advance(delayMs);
      bench.provider(started).last.complete();
      // The fastest is looked for anew every 60 s.
      await bench.clock.advance(60_000);
    }
    expect(await driveWell(bench, MAIN, 3)).to.deep.equal(["phi-3-mini", "phi-3-mini", "phi-3-mini"]);
  });

  it("При ошибке автоматически переключается на следующую модель — an error goes on to the next model", async () => {
    const bench = chainBench();
    const { models, consumer } = await driveRequest(bench, MAIN, (model) =>
      ROLES.primary.includes(model) ? "server_error" : "answers",
    );
    expect(models).to.deep.equal(["llama-1b", "phi-3-mini", "llama-3b"]);
    expect(consumer.log.at(-1)).to.equal("finished llama-3b-provider/llama-3b");
  });

  it("Продолжает до успешного ответа или исчерпания всех моделей — goes on until all models are used up", async () => {
    const { models, consumer } = await driveRequest(chainBench(), MAIN, () => "server_error");
    expect(models.toSorted()).to.deep.equal(Object.values(ROLES).flat().toSorted());
    expect(consumer.error?.reason).to.equal("UPSTREAM_ERROR");
  });

  for (const [name, failureClass] of [
    ["Timeout", "timeout"],
    ["API Error", "server_error"],
    ["Rate Limit", "rate_limit"],
    ["Model Unavailable", "model_unavailable"],
  ] as const) {
    it(`Типы ошибок: ${name} — leads to the next model`, async () => {
      const { models } = await driveRequest(chainBench(), MAIN, (model) =>
        model === "llama-1b" ? failureClass : "answers",
      );
      expect(models).to.deep.equal(["llama-1b", "phi-3-mini"]);
    });
  }
});

describe("seed 003, Parallel (Best of Two), walked", () => {
  it("Запускаются две primary модели параллельно — two primaries are asked at once, and a duplicate judges", async () => {
    const bench = chainBench({ strategy: "best_of_two" });
    const { consumer } = bench.route(MAIN);
    for (const name of ROLES.primary) {
      const { last } = bench.provider(`${name}-provider`);
      last.text(name);
      last.complete();
    }
    const judge = bench.provider("llama-3b-provider").last;
    judge.text('{"winner": "tie"}');
    judge.complete();
    expect(
      consumer.result?.attempts.map(({ purpose, deployment }) => [purpose, deployment.model]),
    ).to.deep.equal([
      ["first", "llama-1b"],
      ["second_answer", "phi-3-mini"],
      ["judge", "llama-3b"],
    ]);
  });

  it("Выбирается ответ с наивысшей оценкой — the answer that the judge prefers is kept", () => {
    const bench = chainBench({ strategy: "best_of_two" });
    const { consumer } = bench.route(MAIN);
    for (const name of ROLES.primary) {
      const { last } = bench.provider(`${name}-provider`);
      last.text(name);
      last.complete();
    }
    const judge = bench.provider("llama-3b-provider").last;
    const shown = judge.call.request.messages.map(({ parts }) =>
      parts.map((part) => (part.kind === "text" ? part.text : "")).join(""),
    );
    const isA = shown.some((text) => text.includes('"answer_a":"phi-3-mini"'));
    judge.text(`{"winner": "${isA ? "A" : "B"}"}`);
    judge.complete();
    expect(consumer.log.at(-1)).to.equal("finished phi-3-mini-provider/phi-3-mini");
  });
});

describe("seed 003, Fallback Chain, walked", () => {
  it("Primary → Duplicate → Reserve → Fallback: each role is used when the one before has failed", async () => {
    const { models } = await driveRequest(chainBench({ selection: "fixed" }), MAIN, () => "server_error");
    expect(models).to.deep.equal(Object.values(ROLES).flat());
  });

  it("Используются только в крайнем случае — the last reserve is asked only when all the others are down", async () => {
    const bench = chainBench({ selection: "fixed" });
    const others = [...ROLES.primary, ...ROLES.duplicate, ...ROLES.reserve];
    const othersFail = (model: string) => (others.includes(model) ? "server_error" : "answers");
    for (let request = 0; request < 3; request++) await driveRequest(bench, MAIN, othersFail);
    expect(await driveWell(bench, MAIN, 1)).to.deep.equal(["kat-coder-free"]);
    await bench.clock.advance(10_000);
    expect(await driveWell(bench, MAIN, 1)).to.deep.equal(["llama-1b"]);
  });
});
