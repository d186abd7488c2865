import { expect } from "chai";
import type { Provider, ProviderCall } from "../../src/domain/ports.ts";
import { collectToolCalls, ProviderRecorder } from "./provider-recorder.ts";

/** What the other side does in a test. `endless` answers with text until it is stopped. */
export type ProviderScenario =
  | "text"
  | "tool_call"
  | "parallel_tools"
  | "json"
  | "server_error"
  | "cut"
  | "silent"
  | "endless";

/** A provider made ready to be tested, with something on its other side. */
export interface ProviderRig {
  /** The provider's own word for an ordinary end. */
  readonly stopWord: string;
  /** Sets the scene and gives who to call with what. */
  prepare(scenario: ProviderScenario): { readonly provider: Provider; readonly call: ProviderCall };
  /** Lets time and bytes move until `check` passes. */
  until(check: () => void): Promise<void>;
  /** Lets time and bytes move a good deal, when nothing should happen. */
  letTimePass(): Promise<void>;
  /** Whether nothing is held for attempts any more: no timer here, nobody waiting there. */
  isQuiet(): boolean;
  close(): Promise<void>;
}

/** The tests that every `Provider` must pass. `scenarios` are those the provider can play. */
export function describeProviderConformance(
  title: string,
  scenarios: ReadonlySet<ProviderScenario>,
  makeRig: () => Promise<ProviderRig>,
): void {
  describe(`${title} keeps the promises of the Provider port`, () => {
    let rig: ProviderRig;
    let recorder: ProviderRecorder;

    beforeEach(async () => {
      rig = await makeRig();
      recorder = new ProviderRecorder();
    });
    afterEach(async () => {
      await rig.close();
      expect(recorder.faults).to.deep.equal([]);
      expect(recorder.ends.length).to.be.at.most(1);
    });

    function begin(scenario: ProviderScenario) {
      const { provider, call } = rig.prepare(scenario);
      return { provider, attempt: recorder.start(provider, call) };
    }

    async function playToEnd(scenario: ProviderScenario) {
      begin(scenario);
      await rig.until(() => expect(recorder.ends).to.have.length(1));
      await rig.letTimePass();
      expect(rig.isQuiet()).to.equal(true);
    }

    it("answers in several batches with usage, a finish reason and the model's name", async () => {
      await playToEnd("text");
      expect(recorder.text).to.not.equal("");
      expect(recorder.batches.length).to.be.greaterThan(1);
      const usage = recorder.events.findLast((event) => event.kind === "usage");
      expect(usage?.usage.inputTokens).to.be.greaterThan(0);
      expect(usage?.usage.outputTokens).to.be.greaterThan(0);
      expect(recorder.end).to.include({
        kind: "completed",
        finishReason: "stop",
        rawFinishReason: rig.stopWord,
      });
      expect(recorder.end).to.have.property("responseModel").that.is.not.empty;
    });

    it("tells of activity before the first batch and never sends empty text", async () => {
      await playToEnd("text");
      expect(recorder.activityCount).to.be.at.least(1);
      for (const event of recorder.events) {
        if (event.kind === "text_delta") expect(event.text).to.not.equal("");
      }
    });

    it("gives a tool call in pieces of which the first has the name and one is the last", async () => {
      await playToEnd("tool_call");
      const calls = collectToolCalls(recorder.events);
      expect(calls).to.have.length(1);
      expect(calls[0]).to.include({ name: "add", isWellFormed: true });
      expect(JSON.parse(calls[0]?.arguments ?? "")).to.have.all.keys("a", "b");
      expect(recorder.end).to.include({ finishReason: "tool_calls" });
    });

    if (scenarios.has("parallel_tools")) {
      it("keeps the pieces of parallel tool calls apart", async () => {
        await playToEnd("parallel_tools");
        const calls = collectToolCalls(recorder.events);
        expect(calls.map(({ name }) => name)).to.deep.equal(["add", "mul"]);
        expect(calls.every(({ isWellFormed }) => isWellFormed)).to.equal(true);
        for (const call of calls) expect(JSON.parse(call.arguments)).to.have.all.keys("a", "b");
      });
    }

    it("gives JSON that parses", async () => {
      await playToEnd("json");
      expect(JSON.parse(recorder.text)).to.be.an("object");
    });

    it("tells a failure before the first token as a value with its status", async () => {
      await playToEnd("server_error");
      expect(recorder.batches).to.deep.equal([]);
      expect(recorder.failure).to.include({ class: "server_error", httpStatus: 500 });
    });

    it("tells an answer that broke off as stream_interrupted after what came", async () => {
      await playToEnd("cut");
      expect(recorder.text).to.not.equal("");
      expect(recorder.failure).to.include({ class: "stream_interrupted", httpStatus: 200 });
    });

    it("holds a silent attempt open until it is aborted", async () => {
      const { attempt } = begin("silent");
      await rig.letTimePass();
      expect(recorder.ends).to.deep.equal([]);
      attempt.abort();
      await rig.until(() => expect(rig.isQuiet()).to.equal(true));
      expect(recorder.ends).to.deep.equal([]);
    });

    it("gives at most one more batch after pause and goes on after resume", async () => {
      const { attempt } = begin("endless");
      await rig.until(() => expect(recorder.batches.length).to.be.at.least(2));
      attempt.pause();
      const batchCount = recorder.batches.length;
      await rig.letTimePass();
      expect(recorder.batches.length).to.be.at.most(batchCount + 1);
      attempt.resume();
      await rig.until(() => expect(recorder.batches.length).to.be.at.least(batchCount + 3));
      attempt.abort();
      await rig.until(() => expect(rig.isQuiet()).to.equal(true));
    });

    it("loses nothing when the sink pauses at every batch", async () => {
      const { provider, call } = rig.prepare("text");
      const plain = new ProviderRecorder();
      plain.start(provider, call);
      await rig.until(() => expect(plain.ends).to.have.length(1));
      const second = rig.prepare("text");
      const attempt = recorder.start(second.provider, second.call);
      recorder.onBatch = () => {
        attempt.pause();
        setImmediate(() => attempt.resume());
      };
      await rig.until(() => expect(recorder.ends).to.have.length(1));
      expect(recorder.text).to.equal(plain.text);
      expect(recorder.end).to.deep.equal(plain.end);
    });

    it("is not confused by pause and resume before anything came", async () => {
      const { attempt } = begin("text");
      attempt.pause();
      attempt.resume();
      attempt.resume();
      await rig.until(() => expect(recorder.ends).to.have.length(1));
      expect(recorder.text).to.not.equal("");
    });

    it("says nothing more after an abort at once", async () => {
      const { attempt } = begin("text");
      attempt.abort();
      await rig.letTimePass();
      expect(recorder).to.include({ activityCount: 0 });
      expect(recorder.batches).to.deep.equal([]);
      expect(recorder.ends).to.deep.equal([]);
      await rig.until(() => expect(rig.isQuiet()).to.equal(true));
    });

    it("says nothing more after an abort in the middle, and lets go", async () => {
      const { attempt } = begin("endless");
      await rig.until(() => expect(recorder.batches.length).to.be.at.least(1));
      attempt.abort();
      const { activityCount } = recorder;
      const batchCount = recorder.batches.length;
      await rig.until(() => expect(rig.isQuiet()).to.equal(true));
      await rig.letTimePass();
      expect(recorder.batches).to.have.length(batchCount);
      expect(recorder.activityCount).to.equal(activityCount);
      expect(recorder.ends).to.deep.equal([]);
    });

    it("says nothing more after an abort from inside a batch", async () => {
      const { attempt } = begin("text");
      recorder.onBatch = () => attempt.abort();
      await rig.until(() => expect(recorder.batches).to.have.length(1));
      await rig.letTimePass();
      expect(recorder.batches).to.have.length(1);
      expect(recorder.ends).to.deep.equal([]);
    });

    it("ignores every call after the end", async () => {
      const { attempt } = begin("text");
      await rig.until(() => expect(recorder.ends).to.have.length(1));
      attempt.pause();
      attempt.resume();
      attempt.abort();
      attempt.abort();
      await rig.letTimePass();
      expect(recorder.ends).to.have.length(1);
    });

    it("cuts running attempts and refuses new ones when it is closed", async () => {
      const { provider } = begin("endless");
      await rig.until(() => expect(recorder.batches.length).to.be.at.least(1));
      await provider.close();
      await rig.until(() => expect(recorder.failure).to.include({ class: "stream_interrupted" }));
      const late = new ProviderRecorder();
      late.start(provider, rig.prepare("text").call);
      await rig.until(() => expect(late.failure).to.deep.equal({ class: "network" }));
    });
  });
}
