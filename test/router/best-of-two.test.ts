import { expect } from "chai";
import type { GenerationRequest } from "../../src/domain/request.ts";
import { type BenchChanges, type RecordingConsumer, RouterBench } from "../support/router-bench.ts";
import { type ModelChanges, sampleModel } from "../support/sample-catalog.ts";
import type { ScriptedAttempt } from "../support/scripted-provider.ts";
import { sampleChain, sampleGroup, samplePool } from "../unit/core/candidates/sample-targets.ts";

const PRICE = { inputNanoUsd: 1_000_000, outputNanoUsd: 1_000_000 };

/** Only the deadline counts. */
const PATIENT = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 60_000 };

interface Race {
  readonly bench: RouterBench;
  readonly consumer: RecordingConsumer;
  cancel(): void;
  /** The only attempt at a model. */
  at(model: string): ScriptedAttempt;
  /** `model purpose outcome` of each settled attempt, in order. */
  list(): readonly string[];
}

interface RaceChanges extends BenchChanges {
  readonly models?: Readonly<Record<string, ModelChanges>>;
  readonly request?: Partial<GenerationRequest>;
  readonly timeoutMs?: number;
}

/** A request for two answers: the bench's chain makes a the first and b the second; c is free to judge. */
function race({ models, request, timeoutMs, ...changes }: RaceChanges = {}): Race {
  const bench = new RouterBench(
    ["a", "b", "c"].map((name) => sampleModel(name, { price: PRICE, ...models?.[name] })),
    changes,
  );
  const { consumer, handle } = bench.route({ strategy: "best_of_two", ...request }, timeoutMs);
  return {
    bench,
    consumer,
    cancel: () => handle.cancel("caller_gone"),
    at: (model) => {
      const all = [...bench.providers.values()].flatMap(({ attempts }) => attempts);
      const [found, ...more] = all.filter(({ call }) => call.deployment.model === model);
      if (found === undefined || more.length > 0) throw new Error(`not one attempt at ${model}`);
      return found;
    },
    list: () =>
      bench.settled.map(({ deployment, purpose, outcome }) => `${deployment.model} ${purpose} ${outcome}`),
  };
}

function answer(attempt: ScriptedAttempt, text: string, outputTokens = 1): void {
  attempt.text(text);
  attempt.events({ kind: "usage", usage: { inputTokens: 1, outputTokens } });
  attempt.complete();
}

/** What the judge is shown, by letter. */
function readShown(judge: ScriptedAttempt): {
  readonly A: string;
  readonly B: string;
  readonly text: string;
} {
  const parts = judge.call.request.messages.flatMap((message) => message.parts);
  const text = parts.map((part) => (part.kind === "text" ? part.text : "")).join("\n");
  const shown = JSON.parse(text.slice(text.indexOf('{"request"')));
  return { A: shown.answer_a, B: shown.answer_b, text };
}

function judgeFor(judge: ScriptedAttempt, wanted: string): void {
  judge.text(`{"winner": "${readShown(judge).A === wanted ? "A" : "B"}"}`);
  judge.complete();
}

function listTexts({ consumer }: Race): string {
  return consumer.events.map((event) => (event.kind === "text_delta" ? event.text : "")).join("");
}

describe("two answers", () => {
  it("are asked of two deployments at once, and only one is told to have started", () => {
    const { consumer, at } = race();
    expect([at("a").aborted, at("b").aborted]).to.deep.equal([false, false]);
    expect(consumer.log).to.deep.equal(["started a-provider/a"]);
  });

  it("come from two providers where there are two, though another model is nearer", () => {
    const two = race({
      models: { a: { providers: ["p"] }, b: { providers: ["p"] }, c: { providers: ["q"] } },
    });
    expect(two.at("c").call.deployment.provider).to.equal("q");
    expect(() => two.at("b")).to.throw("not one");
  });

  it("come from two deployments of one provider where it is the only one", () => {
    const only = { providers: ["p"] };
    const two = race({ models: { a: only, b: only, c: only } });
    expect(two.at("b").call.deployment.provider).to.equal("p");
  });

  it("are one where there is one deployment: it answers without a judge", () => {
    const bench = new RouterBench([sampleModel("a")]);
    const { consumer } = bench.route({ strategy: "best_of_two" });
    answer(bench.provider("a-provider").last, "alone");
    expect(consumer.log.at(-1)).to.equal("finished a-provider/a");
    expect(bench.provider("a-provider").attempts).to.have.length(1);
  });

  it("never come from the same deployment, even when one falls back", () => {
    const two = race({ maxAttempts: 3 });
    two.at("a").fail("server_error");
    expect(two.at("c").call.deployment.model).to.equal("c");
    two.at("c").fail("server_error");
    answer(two.at("b"), "good");
    expect(two.consumer.log.at(-1)).to.equal("finished b-provider/b");
  });

  it("both come from the first echelon of a group, whose rule is for failures only", () => {
    const two = race({
      targets: {
        groups: [sampleGroup("pair", [["a", "b"], ["c"]], { rotation: "fixed" })],
        defaults: { target: "pair", strategy: "best_of_two", taskType: undefined },
      },
    });
    expect([two.at("a").aborted, two.at("b").aborted]).to.deep.equal([false, false]);
  });

  it("come from two instances of a pool that retries at the same one", () => {
    const fallback = { strategy: "simple_retry", maxInstanceAttempts: 2 } as const;
    const only = { providers: ["p"] };
    const two = race({
      models: { a: only, b: only },
      targets: {
        pools: [samplePool("pool", ["a", "b"], { fallback })],
        defaults: { target: "pool", strategy: "best_of_two", taskType: undefined },
      },
    });
    expect([two.at("a").aborted, two.at("b").aborted]).to.deep.equal([false, false]);
  });
});

describe("the judge", () => {
  it("sees both answers and the request, but neither models nor providers", () => {
    const two = race();
    answer(two.at("a"), "Rayleigh");
    answer(two.at("b"), "Because");
    const { A, B, text } = readShown(two.at("c"));
    expect([A, B].toSorted()).to.deep.equal(["Because", "Rayleigh"]);
    expect(text)
      .to.include("Hello")
      .and.not.match(/provider|upstream/);
    expect(two.at("c").call.request.sampling).to.include({ temperature: 0 });
  });

  it("is shown the answers in an order that chance decides", () => {
    const first = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const two = race({ seed });
      answer(two.at("a"), "from a");
      answer(two.at("b"), "from b");
      first.add(readShown(two.at("c")).A);
    }
    expect(first.size).to.equal(2);
  });

  for (const winner of ["a", "b"]) {
    it(`decides: ${winner} is kept, the request is counted once and all three costs are told`, () => {
      const two = race();
      answer(two.at("a"), "from a", 10);
      answer(two.at("b"), "from b", 20);
      judgeFor(two.at("c"), `from ${winner}`);
      expect(listTexts(two)).to.equal(`from ${winner}`);
      const { result, log } = two.consumer;
      expect(log.filter((line) => /^(switched|finished)/.test(line))).to.deep.equal(
        winner === "a"
          ? ["finished a-provider/a"]
          : ["switched 2 b-provider/b after superseded", "finished b-provider/b"],
      );
      expect(result?.attemptNumber).to.equal(winner === "a" ? 1 : 2);
      expect(
        result?.attempts.map(({ attemptNumber, purpose, usage }) => [
          attemptNumber,
          purpose,
          usage?.costNanoUsd,
        ]),
      ).to.deep.equal([
        [1, "first", 11],
        [2, "second_answer", 21],
        [3, "judge", undefined],
      ]);
      expect(two.list()).to.deep.equal(["a first success", "b second_answer success", "c judge success"]);
      expect(two.bench.requests).to.include({ startedCount: 1, succeededCount: 1, inFlightCount: 0 });
      expect(two.bench.requestEnds).to.have.length(1);
      expect(two.bench.clock.pendingCount).to.equal(0);
    });
  }

  it("leaves a tie to the cheaper answer", () => {
    const two = race();
    answer(two.at("a"), "dear", 100);
    answer(two.at("b"), "cheap", 1);
    two.at("c").text('{"winner": "tie"}');
    two.at("c").complete();
    expect(listTexts(two)).to.equal("cheap");
  });

  const silent: readonly { title: string; act: (judge: ScriptedAttempt, two: Race) => unknown }[] = [
    { title: "fails", act: (judge) => judge.fail("server_error") },
    { title: "takes longer than it may", act: (_judge, { bench }) => bench.clock.advance(5_000) },
    {
      title: "answers with garbage",
      act: (judge) => {
        judge.text("Both are lovely.");
        judge.complete();
      },
    },
    {
      title: "names both",
      act: (judge) => {
        judge.text('{"winner": "A"} {"winner": "B"}');
        judge.complete();
      },
    },
  ];
  for (const { title, act } of silent) {
    it(`has no say when it ${title}: the better model's answer is kept`, async () => {
      const two = race({ models: { b: { tiers: { quality: 5 } } } });
      answer(two.at("a"), "from a");
      answer(two.at("b"), "from b");
      await act(two.at("c"), two);
      expect(listTexts(two)).to.equal("from b");
      expect(two.consumer.log.at(-1)).to.equal("finished b-provider/b");
      expect(two.bench.settled).to.have.length(3);
      expect(two.bench.clock.pendingCount).to.equal(0);
    });
  }

  it("is not asked about tool calls, which it could not tell apart without running them", () => {
    const two = race({ models: { b: { tiers: { quality: 5 } } } });
    const call = {
      kind: "tool_call_delta",
      callId: "1",
      name: "look",
      argumentsDelta: "{}",
      last: true,
    } as const;
    answer(two.at("a"), "from a");
    two.at("b").events(call);
    two.at("b").complete("tool_calls");
    expect(two.consumer.result?.finishReason).to.equal("tool_calls");
    expect(two.consumer.events).to.deep.equal([call]);
    expect(() => two.at("c")).to.throw("not one");
  });

  it("is the configured one where there is one, even beside others", () => {
    const two = race({ routing: { bestOfTwo: { judge: "b", judgeTimeoutMs: 5_000 } }, models: {} });
    answer(two.at("a"), "from a");
    const [second] = two.bench.provider("b-provider").attempts;
    if (second === undefined) throw new Error("b was not asked");
    answer(second, "from b");
    expect(two.bench.provider("b-provider").attempts).to.have.length(2);
    expect(two.bench.provider("c-provider").attempts).to.have.length(0);
    judgeFor(two.bench.provider("b-provider").last, "from a");
    expect(listTexts(two)).to.equal("from a");
  });

  it("comes from the duplicates of a chain whose primaries answer", () => {
    const two = race({
      targets: {
        chains: [sampleChain("main", { primary: ["a", "b"], duplicate: ["c"] }, { strategy: "best_of_two" })],
        defaults: { target: "main", strategy: "single", taskType: undefined },
      },
      request: {},
    });
    answer(two.at("a"), "from a");
    answer(two.at("b"), "from b");
    expect(two.at("c").call.request.sampling.temperature).to.equal(0);
  });
});

describe("one of two answers", () => {
  it("wins without a judge when the other fails, and the failure is told", () => {
    const two = race({ maxAttempts: 1 });
    two.at("a").fail("server_error");
    expect(two.consumer.error).to.equal(undefined);
    answer(two.at("b"), "from b");
    expect(two.consumer.log).to.deep.equal([
      "started a-provider/a",
      "switched 2 b-provider/b after server_error",
      "events 2 from b|usage",
      "finished b-provider/b",
    ]);
    expect(() => two.at("c")).to.throw("not one");
  });

  it("does not lose its place to a late second one: half of the time left is what it waits", async () => {
    const two = race({ timeoutMs: 20_000, timeouts: PATIENT });
    await two.bench.clock.advance(1_000);
    answer(two.at("a"), "from a");
    two.at("b").text("slow");
    await two.bench.clock.advance(9_499);
    expect(two.consumer.result).to.equal(undefined);
    await two.bench.clock.advance(1);
    expect(listTexts(two)).to.equal("from a");
    expect(two.at("b").aborted).to.equal(true);
    expect(two.list()).to.deep.equal(["a first success", "b second_answer superseded"]);
    expect(two.bench.clock.pendingCount).to.equal(0);
  });

  it("fails only when both have failed, with every attempt listed once", () => {
    const two = race({ maxAttempts: 1 });
    two.at("b").fail("network");
    two.at("a").fail("overloaded");
    expect(two.consumer.error?.reason).to.equal("UPSTREAM_OVERLOADED");
    const attempts = two.consumer.error?.failed?.attempts ?? [];
    expect(attempts.map(({ attemptNumber, outcome }) => [attemptNumber, outcome])).to.deep.equal([
      [1, "overloaded"],
      [2, "network"],
    ]);
    expect(two.bench.requests).to.include({ failedCount: 1, inFlightCount: 0 });
    expect(two.bench.clock.pendingCount).to.equal(0);
  });

  it("fails with what somebody can act on, and with what both have cost", () => {
    const two = race({ maxAttempts: 1 });
    for (const model of ["a", "b"]) two.at(model).events({ kind: "usage", usage: { inputTokens: 7 } });
    two.at("a").fail("server_error");
    two.at("b").fail("rate_limit", { retryAfterMs: 3_000 });
    expect(two.consumer.error).to.include({ reason: "UPSTREAM_RATE_LIMITED", retryAfterMs: 3_000 });
    expect(two.consumer.error?.failed?.usage?.inputTokens).to.equal(14);
  });

  it("ends at the deadline with both aborted when neither has answered", async () => {
    const two = race({ timeoutMs: 4_000, timeouts: PATIENT });
    two.at("a").text("half");
    two.at("b").text("half");
    await two.bench.clock.advance(4_000);
    expect(two.consumer.error?.reason).to.equal("DEADLINE_EXCEEDED");
    expect(two.consumer.events).to.deep.equal([]);
    expect([two.at("a").aborted, two.at("b").aborted]).to.deep.equal([true, true]);
    expect(two.bench.clock.pendingCount).to.equal(0);
  });

  it("is kept at the deadline when the other one is late", async () => {
    const two = race({ timeoutMs: 4_000, timeouts: PATIENT });
    answer(two.at("b"), "from b");
    await two.bench.clock.advance(4_000);
    expect(listTexts(two)).to.equal("from b");
  });
});

describe("a caller who leaves while two answers are awaited", () => {
  const moments: Readonly<Record<string, (two: Race) => void>> = {
    "before any of them begins": () => {},
    "while both are written": (two) => {
      two.at("a").text("x");
      two.at("b").text("y");
    },
    "after the first is whole": (two) => answer(two.at("a"), "x"),
    "while the judge thinks": (two) => {
      answer(two.at("a"), "x");
      answer(two.at("b"), "y");
      two.at("c").text("{");
    },
  };
  for (const [moment, act] of Object.entries(moments)) {
    it(`${moment} ends everything at once`, () => {
      const two = race();
      act(two);
      two.cancel();
      expect(two.consumer.error?.reason).to.equal("CANCELLED");
      expect(two.consumer.events).to.deep.equal([]);
      const attempts = [...two.bench.providers.values()].flatMap((provider) => provider.attempts);
      expect(two.bench.settled).to.have.length(attempts.length);
      expect(two.consumer.error?.failed?.attempts).to.have.length(attempts.length);
      const openCount = two.bench.settled.filter(({ outcome }) => outcome === "cancelled").length;
      expect(attempts.filter(({ aborted }) => aborted)).to.have.length(openCount);
      expect(two.bench.requests).to.include({ cancelledCount: 1, inFlightCount: 0 });
      expect(two.bench.clock.pendingCount).to.equal(0);
    });
  }
});

describe("the trace of two answers", () => {
  it("numbers decisions as their attempts, and an impossible one with 0", () => {
    const bench = new RouterBench([sampleModel("a")]);
    const { consumer } = bench.route({ strategy: "best_of_two", explain: true });
    answer(bench.provider("a-provider").last, "alone");
    const numbers = consumer.result?.decisions.map(({ attemptNumber }) => attemptNumber) ?? [];
    expect(numbers[0]).to.equal(1);
    expect(new Set(numbers.slice(1))).to.deep.equal(new Set([0]));
  });
});
