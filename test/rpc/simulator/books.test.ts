import { expect } from "chai";
import { Secret } from "../../../src/lib/secret.ts";
import type { RunningSimulator } from "../../../src/simulator-server/start-simulator.ts";
import { eventually } from "../../support/eventually.ts";
import { ask, DIALECT_NAMES, openSimulator } from "./open-simulator.ts";

interface Page {
  readonly totals: { readonly requestCount: number; readonly outcomeCounts: Record<string, number> };
  readonly requests: readonly Record<string, unknown>[];
}

async function readBooks(simulator: RunningSimulator, query = ""): Promise<Page> {
  const response = await fetch(`http://127.0.0.1:${simulator.port}/books${query}`);
  return (await response.json()) as Page;
}

const STREAM_TYPES = {
  openai: "text/event-stream",
  glm: "text/event-stream",
  openrouter: "text/event-stream",
  anthropic: "text/event-stream",
  ollama: "application/x-ndjson",
};

describe("the books of the simulator", () => {
  let simulator: RunningSimulator;

  afterEach(() => simulator.close());

  it("hold every request with its model, tokens, status and outcome", async () => {
    simulator = await openSimulator();
    for (const dialect of DIALECT_NAMES) {
      for (const stream of [false, true])
        await (await ask(simulator, dialect, { stream, model: dialect })).text();
    }
    const { requests, totals } = await readBooks(simulator);
    expect(totals.requestCount).to.equal(2 * DIALECT_NAMES.length);
    expect(totals.outcomeCounts.whole).to.equal(2 * DIALECT_NAMES.length);
    expect(requests.map(({ dialect, model, isStream }) => [dialect, model, isStream])).to.deep.equal(
      DIALECT_NAMES.flatMap((dialect) => [false, true].map((stream) => [dialect, dialect, stream])),
    );
    for (const entry of requests)
      expect(entry).to.include({
        status: 200,
        outcome: "whole",
        outputTokens: 20,
        costNanoUsd: 5 * 100 + 20 * 400,
      });
  });

  for (const dialect of DIALECT_NAMES) {
    it(`hold an answer that a stop sequence empties, which has its headers and its end (${dialect})`, async () => {
      simulator = await openSimulator();
      const stop = {
        stop: ["[simulated"],
        stop_sequences: ["[simulated"],
        options: { stop: ["[simulated"] },
      };
      for (const stream of [false, true]) {
        const response = await ask(simulator, dialect, { stream, changes: stop });
        expect(response.headers.get("x-sluice-simulated")).to.equal("true");
        expect(response.headers.get("content-type")).to.contain(
          stream ? STREAM_TYPES[dialect] : "application/json",
        );
        expect(await response.text()).to.contain(dialect === "anthropic" ? '"role":"assistant"' : "stop");
      }
      const { requests } = await readBooks(simulator);
      for (const entry of requests) {
        expect(entry).to.include({ status: 200, outcome: "whole", inputTokens: 5, outputTokens: 0 });
      }
    });
  }

  it("book an empty answer that is cut", async () => {
    simulator = await openSimulator({ faultRatios: { cut: 1 } });
    for (const stream of [false, true]) {
      const response = await ask(simulator, "ollama", { stream, changes: { options: { stop: ["["] } } });
      expect(response.status).to.equal(200);
      const failure = await response.text().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(Error);
    }
    const { requests } = await readBooks(simulator);
    for (const entry of requests) expect(entry).to.include({ status: 200, outcome: "cut", inputTokens: 5 });
  });

  it("tell the tokens that the client was told", async () => {
    simulator = await openSimulator({ outputTokens: { median: 40, p95: 200 }, seed: 3 });
    const told = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const body = (await (await ask(simulator, "openai")).json()) as { usage: Record<string, number> };
        return body.usage;
      }),
    );
    const { requests } = await readBooks(simulator);
    const sum = (values: readonly unknown[]) =>
      values.reduce<number>((total, value) => total + Number(value), 0);
    expect(sum(requests.map(({ outputTokens }) => outputTokens))).to.equal(
      sum(told.map(({ completion_tokens }) => completion_tokens)),
    );
    expect(sum(requests.map(({ inputTokens }) => inputTokens))).to.equal(
      sum(told.map(({ prompt_tokens }) => prompt_tokens)),
    );
    expect(new Set(told.map(({ completion_tokens }) => completion_tokens)).size).to.be.above(3);
  });

  it("call an answer cut that breaks off, and its client sees no end", async () => {
    simulator = await openSimulator({ faultRatios: { cut: 1 } });
    for (const stream of [false, true]) {
      const response = await ask(simulator, "openai", { stream });
      const failure = await response.text().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(Error);
    }
    const { requests } = await readBooks(simulator);
    for (const entry of requests) expect(entry).to.include({ outcome: "cut", outputTokens: 10 });
  });

  it("call a request cancelled whose client left in the middle", async () => {
    simulator = await openSimulator({ tokensPerSecond: { median: 50, p95: 50 } });
    const leaving = new AbortController();
    const response = await ask(simulator, "anthropic", { stream: true, signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await eventually(async () => {
      const [entry] = (await readBooks(simulator)).requests;
      expect(entry).to.include({ outcome: "cancelled", status: 200 });
      expect(entry?.outputTokens).to.be.within(1, 19);
    });
  });

  it("call a request hang that was never answered, and reset one whose connection was closed", async () => {
    simulator = await openSimulator({
      schedule: [
        { kind: "hang", fromMs: 0, toMs: Number.POSITIVE_INFINITY, ratio: 1, model: "slow" },
        { kind: "reset", fromMs: 0, toMs: Number.POSITIVE_INFINITY, ratio: 1, model: "gone" },
      ],
    });
    const leaving = new AbortController();
    const hanging = ask(simulator, "openai", { model: "slow", signal: leaving.signal }).catch(() => "left");
    await eventually(async () => expect((await readBooks(simulator)).totals.requestCount).to.equal(1));
    leaving.abort();
    expect(await hanging).to.equal("left");
    expect(await ask(simulator, "openai", { model: "gone" }).catch(() => "reset")).to.equal("reset");
    expect((await ask(simulator, "openai", { model: "well" })).status).to.equal(200);
    await eventually(async () => {
      const { requests } = await readBooks(simulator);
      expect(requests.map(({ outcome }) => outcome)).to.deep.equal(["hang", "reset", "whole"]);
    });
  });

  it("can be read in parts and cleared", async () => {
    simulator = await openSimulator();
    for (let count = 0; count < 5; count++) await (await ask(simulator, "ollama")).text();
    const page = await readBooks(simulator, "?after=2&limit=2");
    expect(page.requests.map(({ number }) => number)).to.deep.equal([3, 4]);
    await fetch(`http://127.0.0.1:${simulator.port}/books`, { method: "DELETE" });
    const empty = await readBooks(simulator);
    expect(empty.requests).to.deep.equal([]);
    expect(empty.totals.requestCount).to.equal(0);
  });

  it("hold those to a quota that is reached, with the wait in the provider's headers", async () => {
    simulator = await openSimulator({ quota: { requestsPerMinute: 2, tokensPerMinute: undefined } });
    const answers = [];
    for (let count = 0; count < 3; count++) answers.push(await ask(simulator, "openai"));
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 429]);
    expect(answers.map(({ headers }) => headers.get("x-ratelimit-remaining-requests"))).to.deep.equal([
      "1",
      "0",
      "0",
    ]);
    expect(Number(answers[2]?.headers.get("retry-after"))).to.be.within(25, 30);
    expect((await ask(simulator, "openai", { model: "other" })).status).to.equal(200);
    const anthropic = await ask(simulator, "anthropic");
    expect(anthropic.status).to.equal(429);
    expect(anthropic.headers.get("anthropic-ratelimit-requests-limit")).to.equal("2");
    expect(anthropic.headers.get("anthropic-ratelimit-requests-reset")).to.match(/^\d{4}-\d\d-\d\dT[\d:]+Z$/);
    expect((await ask(simulator, "glm")).headers.get("retry-after")).to.equal(null);
  });

  it("hold those refused for their key or their model", async () => {
    simulator = await openSimulator({ apiKey: new Secret("right"), models: ["known"] });
    expect((await ask(simulator, "openai")).status).to.equal(401);
    const { path } = { path: `http://127.0.0.1:${simulator.port}/v1/messages` };
    const send = (model: string) =>
      fetch(path, {
        method: "POST",
        headers: { "x-api-key": "right" },
        body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "Hi" }] }),
      });
    expect((await send("unknown")).status).to.equal(404);
    expect((await send("known")).status).to.equal(200);
    const { requests } = await readBooks(simulator);
    expect(requests.map(({ fault }) => fault ?? null)).to.deep.equal(["auth", "model_unavailable", null]);
  });

  it("are the same for the same seed", async () => {
    const runs: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      simulator = await openSimulator({
        seed: 42,
        faultRatios: { server_error: 0.3, cut: 0.3 },
        outputTokens: { median: 30, p95: 90 },
      });
      for (let count = 0; count < 12; count++) {
        await ask(simulator, "openai", { stream: true })
          .then((response) => response.text())
          .catch(() => "cut");
      }
      runs.push(
        simulator.books.read(0, 100).requests.map(({ outcome, outputTokens }) => [outcome, outputTokens]),
      );
      await simulator.close();
    }
    expect(runs[0]).to.deep.equal(runs[1]);
    expect(new Set((runs[0] as string[][]).map(([outcome]) => outcome)).size).to.equal(3);
  });
});
