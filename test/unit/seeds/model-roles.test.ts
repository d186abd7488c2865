import { expect } from "chai";
import { sampleModel } from "../../support/sample-catalog.ts";
import { sampleChain, sampleTargets } from "../core/candidates/sample-targets.ts";
import { RouteWalk } from "./route-walk.ts";

const ROLES = {
  primary: ["llama-1b", "phi-3-mini"],
  duplicate: ["llama-3b", "wizardlm"],
  reserve: ["gemma-27b", "mistral-small"],
  fallback: ["kat-coder-free", "remm-slerp"],
};

function chainWalk(changes: Parameters<typeof sampleChain>[2] = {}): RouteWalk {
  const models = Object.values(ROLES)
    .flat()
    .map((name) => sampleModel(name, { providers: ["openrouter"] }));
  const chains = [sampleChain("main", ROLES, { selection: "fastest", ...changes })];
  return new RouteWalk(sampleTargets(models, { chains }), "main");
}

/** Tells the walk how long each model's last answer took. */
function measure(walk: RouteWalk, times: Readonly<Record<string, number>>): void {
  for (const [model, ms] of Object.entries(times)) walk.rotation.noteAnswer(walk.idOf(model), ms);
}

describe("seed 003, Single Model (одна модель с автоматическим fallback)", () => {
  it("Выбирается самая быстрая primary модель — the fastest primary model is chosen", () => {
    const walk = chainWalk();
    measure(walk, { "llama-1b": 900, "phi-3-mini": 400, "llama-3b": 10 });
    expect(walk.succeed(3)).to.deep.equal(["phi-3-mini", "phi-3-mini", "phi-3-mini"]);
  });

  it("an unmeasured primary counts as the fastest, so that every one gets measured", () => {
    const walk = chainWalk();
    measure(walk, { "llama-1b": 1 });
    expect(walk.succeed(1)).to.deep.equal(["phi-3-mini"]);
  });

  it("LLMManager отслеживает время отклика — follows the response times, compared again after 60 s", () => {
    const walk = chainWalk();
    measure(walk, { "llama-1b": 100, "phi-3-mini": 400 });
    expect(walk.succeed(1)).to.deep.equal(["llama-1b"]);
    measure(walk, { "llama-1b": 4_000 });
    expect(walk.succeed(1)).to.deep.equal(["llama-1b"]);
    walk.nowMs += 60_000;
    expect(walk.succeed(1)).to.deep.equal(["phi-3-mini"]);
  });

  it("Продолжает до успешного ответа или исчерпания всех моделей — goes on until all models are used up", () => {
    const tried = chainWalk().failAll(100);
    expect(tried.toSorted()).to.deep.equal(Object.values(ROLES).flat().toSorted());
  });
});

describe("seed 003, Parallel / Best of Two (две модели параллельно)", () => {
  it("Запускаются две primary модели — a chain says best_of_two, and its first tier holds two primaries", () => {
    const { set } = chainWalk({ strategy: "best_of_two" });
    expect(set.strategy).to.equal("best_of_two");
    expect(set.tiers[0]?.deployments.map(({ model }) => model)).to.deep.equal(ROLES.primary);
  });

  it("Duplicate: могут использоваться как evaluator — the duplicates judge the answers", () => {
    expect(chainWalk().set.judges.map(({ model }) => model)).to.deep.equal(ROLES.duplicate);
  });
});

describe("seed 003, Fallback Chain: Primary → Duplicate → Reserve → Fallback", () => {
  it("Каждая категория моделей используется при ошибке предыдущей — each role is used when the one before fails", () => {
    const roleOf = (model: string) => Object.entries(ROLES).find(([, models]) => models.includes(model))?.[0];
    const roles = chainWalk().failAll(8).map(roleOf);
    expect(roles).to.deep.equal(Object.keys(ROLES).flatMap((role) => [role, role]));
  });

  it("Последний резерв используется только в крайнем случае — the last reserve serves only when all else is down", () => {
    const walk = chainWalk({ selection: "fixed" });
    const down = { breaker: "open", permitAvailable: false } as const;
    for (const model of [...ROLES.primary, ...ROLES.duplicate]) walk.change(model, down);
    expect(walk.succeed(1)).to.deep.equal(["gemma-27b"]);
    for (const model of ROLES.reserve) walk.change(model, down);
    expect(walk.succeed(1)).to.deep.equal(["kat-coder-free"]);
  });

  it("is data: an operator may put the reserve before the duplicates, as the seed's code ran", () => {
    const models = Object.values(ROLES)
      .flat()
      .map((name) => sampleModel(name));
    const { primary, reserve, duplicate, fallback } = ROLES;
    const chains = [sampleChain("main", { primary, reserve, duplicate, fallback })];
    const walk = new RouteWalk(sampleTargets(models, { chains }), "main");
    expect(walk.failAll(3)[2]).to.equal("gemma-27b");
  });
});
