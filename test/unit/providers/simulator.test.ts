import { expect } from "chai";
import type { SimulatorProviderConfig } from "../../../src/config/config.ts";
import type { GenerationRequest } from "../../../src/domain/request.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { createSimulatorProvider } from "../../../src/providers/simulator/simulator-provider.ts";
import { makeCall } from "../../conformance/provider-calls.ts";
import { collectToolCalls, ProviderRecorder } from "../../conformance/provider-recorder.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const CONFIG: SimulatorProviderConfig = {
  kind: "simulator",
  name: "sim",
  timeToFirstTokenMs: 100,
  tokensPerSecond: 50,
  outputTokens: 40,
  failureRatio: 0,
  hangRatio: 0,
  cutRatio: 0,
  seed: undefined,
};

function userSays(text: string): Pick<GenerationRequest, "messages"> {
  return { messages: [{ role: "user", parts: [{ kind: "text", text }] }] };
}

describe("The simulator", () => {
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });
  afterEach(() => expect(clock.pendingCount).to.equal(0));

  function makeProvider(changes: Partial<SimulatorProviderConfig> = {}) {
    return createSimulatorProvider({ ...CONFIG, ...changes }, { clock, random: seededRandom(1) });
  }

  async function ask(request: Partial<GenerationRequest>, changes: Partial<SimulatorProviderConfig> = {}) {
    const recorder = new ProviderRecorder();
    recorder.start(makeProvider(changes), makeCall(request));
    await clock.advance(60_000);
    expect(recorder.ends).to.have.length(1);
    expect(recorder.faults).to.deep.equal([]);
    return recorder;
  }

  function usageOf(recorder: ProviderRecorder) {
    return recorder.events.findLast((event) => event.kind === "usage")?.usage;
  }

  it("says at once that it is a simulation, in the text and in the model's name", async () => {
    const recorder = await ask({});
    expect(recorder.text).to.match(
      /^\[simulated answer by mini\] This is Sluice's simulator, not a language model\./,
    );
    expect(recorder.end).to.include({ responseModel: "mini-2026-simulated" });
  });

  it("gives the same answer to the same request", async () => {
    expect((await ask({})).events).to.deep.equal((await ask({})).events);
  });

  it("echoes the length and the first words of the last user message, without what could do harm", async () => {
    const { text } = await ask(userSays("one\u001b[31m two\u202E three four five six seven eight nine"));
    expect(text).to.include("has 50 characters and begins: “one [31m two three four five six seven”");
    expect((await ask(userSays(`${"😀".repeat(500)}`))).text.isWellFormed()).to.equal(true);
  });

  it("gives as many tokens as configured, and counts them", async () => {
    for (const outputTokens of [1, 5, 40, 500]) {
      const recorder = await ask({}, { outputTokens });
      expect(recorder.events.filter(({ kind }) => kind === "text_delta")).to.have.length(outputTokens);
      expect(usageOf(recorder)?.outputTokens).to.equal(outputTokens);
      expect(recorder.end).to.include({ finishReason: "stop" });
    }
  });

  it("counts text, images and tools of the prompt", async () => {
    const inputTokens = async (request: Partial<GenerationRequest>) =>
      usageOf(await ask(request))?.inputTokens ?? 0;
    const short = await inputTokens(userSays("Hi"));
    const long = await inputTokens(userSays("Hi ".repeat(1_000)));
    expect(long).to.be.within(600, 1_200);
    expect(await inputTokens(userSays("你好".repeat(500)))).to.be.within(500, 1_000);
    const image = { kind: "image", source: { kind: "url", url: "https://example.com/a.png" } } as const;
    expect(await inputTokens({ messages: [{ role: "user", parts: [image] }] })).to.be.greaterThan(
      short + 1_000,
    );
    expect(await inputTokens({ tools: [{ name: "f", description: "F" }] })).to.be.greaterThan(short);
  });

  it("stops at the output limit with the reason length, and with stop when the limit is not felt", async () => {
    const limited = await ask({ sampling: { maxOutputTokens: 7 } });
    expect(limited.end).to.include({ finishReason: "length" });
    expect(usageOf(limited)?.outputTokens).to.equal(7);
    expect((await ask({ sampling: { maxOutputTokens: 40 } })).end).to.include({ finishReason: "stop" });
  });

  it("stops before the earliest stop sequence", async () => {
    const { text, end } = await ask({ sampling: { stopSequences: ["language", "Sluice", "never there"] } });
    expect(text).to.equal("[simulated answer by mini] This is ");
    expect(end).to.include({ finishReason: "stop" });
    expect((await ask({ sampling: { stopSequences: ["["] } })).text).to.equal("");
  });

  it("calls a tool only when one is demanded, with arguments shaped by its schema", async () => {
    const parameters = {
      type: "object",
      properties: {
        city: { type: "string" },
        days: { type: "integer", minimum: 3 },
        unit: { enum: ["C", "F"] },
        tags: { type: "array", items: { type: "string" }, minItems: 2 },
      },
      required: ["city", "days", "unit", "tags"],
    };
    const tools = [
      { name: "now", description: "" },
      { name: "weather", description: "", parameters },
    ];
    const named = await ask({ tools, toolChoice: { kind: "tool", name: "weather" } });
    const [call] = collectToolCalls(named.events);
    expect(call).to.include({ name: "weather", isWellFormed: true });
    expect(JSON.parse(call?.arguments ?? "")).to.deep.equal({
      city: "simulated",
      days: 3,
      unit: "C",
      tags: ["simulated", "simulated"],
    });
    expect(named.end).to.include({ finishReason: "tool_calls" });
    const required = await ask({ tools, toolChoice: { kind: "required" } });
    expect(collectToolCalls(required.events)).to.have.nested.property("[0].name", "now");
    for (const kind of ["auto", "none"] as const) {
      expect(collectToolCalls((await ask({ tools, toolChoice: { kind } })).events)).to.deep.equal([]);
    }
  });

  it("answers with JSON when JSON is asked for", async () => {
    const free = JSON.parse((await ask({ responseFormat: { kind: "json_object" } })).text);
    expect(free).to.include({ simulated: true, model: "mini" });
    const schema = { type: "object", properties: { ok: { type: "boolean" } } };
    const responseFormat = { kind: "json_schema", name: "s", schema, strict: true } as const;
    expect(JSON.parse((await ask({ responseFormat })).text)).to.deep.equal({ ok: true });
  });

  it("keeps to its pace: the first token, then the rate, with one timer at a time", async () => {
    const recorder = new ProviderRecorder();
    recorder.start(makeProvider(), makeCall());
    await clock.advance(99);
    expect(recorder.batches).to.have.length(0);
    await clock.advance(1);
    expect(recorder.events).to.have.length(1);
    expect(clock.pendingCount).to.equal(1);
    await clock.advance(200);
    expect(recorder.events).to.have.length(11);
    await clock.advance(1_000);
    expect(recorder.ends).to.have.length(1);
  });

  it("lets tokens share a tick when they come fast", async () => {
    const recorder = new ProviderRecorder();
    recorder.start(makeProvider({ tokensPerSecond: 1_000, outputTokens: 1_000 }), makeCall());
    await clock.advance(1_200);
    expect(recorder.ends).to.have.length(1);
    expect(recorder.batches.length).to.be.within(50, 110);
  });

  it("fails, hangs and breaks off in the configured shares, repeatably for a seed", async () => {
    async function tally(seed: number) {
      const provider = makeProvider({
        failureRatio: 0.2,
        hangRatio: 0.1,
        cutRatio: 0.3,
        seed,
        outputTokens: 3,
      });
      const recorders = Array.from({ length: 400 }, () => {
        const recorder = new ProviderRecorder();
        return { recorder, attempt: recorder.start(provider, makeCall()) };
      });
      await clock.advance(1_000);
      for (const { attempt } of recorders) attempt.abort();
      return recorders.map(({ recorder }) => recorder.failure?.class ?? recorder.end?.kind ?? "hung");
    }
    const outcomes = await tally(7);
    const share = (outcome: string) => outcomes.filter((each) => each === outcome).length / outcomes.length;
    expect(share("server_error")).to.be.closeTo(0.2, 0.06);
    expect(share("hung")).to.be.closeTo(0.1, 0.06);
    expect(share("stream_interrupted")).to.be.closeTo(0.3, 0.06);
    expect(await tally(7)).to.deep.equal(outcomes);
    expect(await tally(8)).to.not.deep.equal(outcomes);
  });
});
