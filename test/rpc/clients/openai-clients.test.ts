import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import OpenAI, { APIError } from "openai";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { describeDeployment, readMetrics } from "../../support/read-metrics.ts";
import { MODEL, startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const run = promisify(execFile);

/** Plays what the user's message asks for. */
function playByMessage(exchange: UpstreamExchange): void {
  const { messages } = exchange.json as { readonly messages: readonly { readonly content: string }[] };
  const wish = messages.at(-1)?.content;
  if (wish === "fail") {
    exchange.answer(429, { "retry-after": "3" }, '{"error":{"code":"rate_limit_exceeded"}}');
    return;
  }
  exchange.begin();
  if (wish === "call a tool") {
    const call = {
      index: 0,
      id: "call_1",
      type: "function",
      function: { name: "look", arguments: '{"at":' },
    };
    exchange.send({ choices: [{ index: 0, delta: { tool_calls: [call] } }] });
    const rest = { index: 0, function: { arguments: '"sky"}' } };
    exchange.send({ choices: [{ index: 0, delta: { tool_calls: [rest] } }] });
    exchange.finish("tool_calls");
    return;
  }
  exchange.sendText("No");
  if (wish === "hold") return;
  // The end of the body without a finish reason: what was sent is all there is to read.
  if (wish === "be cut") exchange.response.end();
  else {
    exchange.sendText("on.");
    exchange.finish();
  }
}

describe("OpenAI's clients", () => {
  let upstream: FakeUpstream;
  let sluice: TestSluice;

  beforeEach(async () => {
    upstream = await FakeUpstream.start(playByMessage);
    sluice = await startSluiceOver({ only: upstream.baseUrl });
  });

  afterEach(async () => {
    await sluice.stop();
    await upstream.close();
  });

  async function expectOutcomes(outcomes: Readonly<Record<string, number>>): Promise<void> {
    await eventually(async () => {
      const state = describeDeployment(await readMetrics(sluice.baseUrl), "only");
      expect({ outcomes: state.outcomes, inFlightCount: state.inFlightCount }).to.deep.equal({
        outcomes,
        inFlightCount: 0,
      });
    });
  }

  describe("the npm package", () => {
    let client: OpenAI;

    beforeEach(() => {
      client = new OpenAI({ baseURL: `${sluice.baseUrl}/v1`, apiKey: "sk-of-the-caller", maxRetries: 0 });
    });

    const system = { role: "system" as const, content: CANARIES.prompt };
    const ask = (content: string) => ({
      model: "auto",
      messages: [system, { role: "user" as const, content }],
    });

    it("gets a whole answer, and keeps its key to itself", async () => {
      const answer = await client.chat.completions.create(ask("answer"));
      expect(answer.choices[0]?.message.content).to.equal("Noon.");
      expect(answer.choices[0]?.finish_reason).to.equal("stop");
      expect(answer.model).to.equal(MODEL);
      expect(answer.usage).to.include({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
      expect(JSON.stringify(upstream.exchanges[0]?.headers)).not.to.contain("sk-of-the-caller");
    });

    it("gets a stream with usage", async () => {
      const stream = await client.chat.completions.create({
        ...ask("answer"),
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = "";
      let totalTokens = 0;
      const reasons: string[] = [];
      for await (const { choices, usage } of stream) {
        text += choices[0]?.delta.content ?? "";
        if (choices[0]?.finish_reason) reasons.push(choices[0].finish_reason);
        totalTokens = usage?.total_tokens ?? totalTokens;
      }
      expect({ text, reasons, totalTokens }).to.deep.equal({
        text: "Noon.",
        reasons: ["stop"],
        totalTokens: 10,
      });
    });

    it("gets tool calls, and the model server gets the tools", async () => {
      const tools = [
        { type: "function" as const, function: { name: "look", parameters: { type: "object" } } },
      ];
      const answer = await client.chat.completions.create({ ...ask("call a tool"), tools });
      expect(answer.choices[0]?.finish_reason).to.equal("tool_calls");
      expect(answer.choices[0]?.message.tool_calls).to.deep.equal([
        { id: "call_1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } },
      ]);
      expect(upstream.exchanges[0]?.json.tools).to.have.nested.property("[0].function.name", "look");
    });

    it("gets an error with status, code and when to come back", async () => {
      const error = await catchError(client.chat.completions.create(ask("fail")));
      expect(error).to.be.instanceOf(OpenAI.RateLimitError);
      expect(error).to.include({ status: 429, code: "rate_limit_exceeded" });
      expect(error.headers?.get("retry-after")).to.equal("3");
      expect(error.headers?.get("x-sluice-reason")).to.equal("UPSTREAM_RATE_LIMITED");
    });

    it("gets an error for a model that is not there, and for a request that is wrong", async () => {
      const missing = await catchError(client.chat.completions.create({ ...ask("answer"), model: "nobody" }));
      expect(missing).to.include({ status: 404, code: "model_not_found", param: "model" });
      const wrong = await catchError(client.chat.completions.create({ ...ask("answer"), temperature: 9 }));
      expect(wrong).to.include({ status: 400, param: "temperature" });
      expect(upstream.exchanges).to.deep.equal([]);
    });

    it("learns that a stream broke off", async () => {
      const stream = await client.chat.completions.create({ ...ask("be cut"), stream: true });
      let text = "";
      const error = await catchError(
        (async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
        })(),
      );
      expect(text).to.equal("No");
      expect(error).to.include({ code: "stream_interrupted" });
      await expectOutcomes({ STREAM_INTERRUPTED: 1 });
    });

    it("frees the model server when it leaves its loop", async () => {
      for await (const chunk of await client.chat.completions.create({ ...ask("hold"), stream: true })) {
        if (chunk.choices[0]?.delta.content) break;
      }
      await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
      await expectOutcomes({ CANCELLED: 1 });
    });

    it("frees the model server at its timeout", async () => {
      const error = await catchError(client.chat.completions.create(ask("hold"), { timeout: 200 }));
      expect(error).to.be.instanceOf(OpenAI.APIConnectionTimeoutError);
      await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
      await expectOutcomes({ CANCELLED: 1 });
    });
  });

  it("the PyPI package gets answers, streams, tools and errors, and frees the model server when it leaves", async function () {
    this.timeout(240_000);
    const python = await findPython();
    if (python === undefined) {
      const line = "The test of OpenAI's PyPI client did NOT run: python3 or pip could not install it.";
      process.once("exit", () => console.log(line));
      this.skip();
    }
    const script = join(ROOT, "test", "rpc", "clients", "openai_client.py");
    const { stdout } = await run(python, [script, `${sluice.baseUrl}/v1`, CANARIES.prompt], {
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).to.deep.equal({
      whole: { text: "Noon.", reason: "stop", totalTokens: 10 },
      stream: { text: "Noon.", reasons: ["stop"], totalTokens: 10 },
      tools: { id: "call_1", name: "look", arguments: '{"at":"sky"}' },
      error: { kind: "RateLimitError", status: 429, code: "rate_limit_exceeded" },
      cut: { text: "No", code: "stream_interrupted" },
      leave: "left",
      time_out: "timed out",
    });
    await expectOutcomes({ SUCCESS: 3, RATE_LIMIT: 1, STREAM_INTERRUPTED: 1, CANCELLED: 2 });
    expect(upstream.exchanges.slice(-3, -1).map(({ isClientGone }) => isClientGone)).to.deep.equal([
      true,
      true,
    ]);
  });
});

async function catchError(promise: PromiseLike<unknown>): Promise<APIError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/**
 * The Python of a virtual environment that has the package, installed once and kept
 * below .cache; undefined where there is no python3 or the package cannot be had.
 */
async function findPython(): Promise<string | undefined> {
  const requirements = join(ROOT, "examples", "python-openai", "requirements.txt");
  const wanted = (await readFile(requirements, "utf8")).trim();
  const folder = join(ROOT, ".cache", "python-openai");
  const python = join(folder, "bin", "python");
  const probe = ["-c", "import openai; print(f'openai=={openai.__version__}')"];
  const isThere = async () =>
    existsSync(python) &&
    (await run(python, probe).then(
      ({ stdout }) => stdout.trim() === wanted,
      () => false,
    ));
  if (await isThere()) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await run("python3", ["-m", "venv", folder], { timeout: 60_000 });
    await run(python, ["-m", "pip", "install", "--quiet", "--requirement", requirements], {
      timeout: 150_000,
    });
  } catch {
    return undefined;
  }
  return (await isThere()) ? python : undefined;
}
