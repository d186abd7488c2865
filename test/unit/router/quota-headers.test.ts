import { expect } from "chai";
import type { Provider } from "../../../src/domain/ports.ts";
import type { QuotaHeaders } from "../../../src/domain/quota.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { buildRouting } from "../../../src/main/build-routing.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingConsumer, sampleRouting } from "../../support/router-bench.ts";
import { sampleModel, sampleRequest } from "../../support/sample-catalog.ts";

/** Answers at once, with headers that tell of its limits. */
function makeProvider(headers: QuotaHeaders): Provider {
  return {
    name: "p",
    simulated: false,
    start(_call, sink) {
      queueMicrotask(() => {
        sink.onQuota?.(headers);
        sink.onEnd({ kind: "completed", finishReason: "stop", rawFinishReason: "stop", responseModel: "m" });
      });
      return { pause() {}, resume() {}, abort() {} };
    },
    close: async () => {},
  };
}

describe("what an answer's headers say of the provider's limits", () => {
  it("lowers what is left of the deployment's headroom", async () => {
    const clock = new FakeClock();
    const provider = makeProvider({ requests: { limit: 100, remaining: 10, resetMs: 60_000 } });
    const routing = buildRouting(sampleRouting([sampleModel("m", { providers: ["p"] })], {}), {
      clock,
      random: seededRandom(1),
      providers: new Map([["p", provider]]),
    });
    const headroom = () => routing.metrics.snapshot([]).models[0]?.deployments[0]?.evidence.headroomRatio;
    expect(headroom()).to.equal(1);
    const consumer = new RecordingConsumer();
    const nowMs = clock.nowMs();
    const call = { requestId: "r", traceparent: undefined, arrivedMs: nowMs, deadlineMs: nowMs + 1_000 };
    routing.router.route(sampleRequest(), call, consumer);
    await clock.advance(200);
    expect(consumer.result).to.not.equal(undefined);
    expect(headroom()).to.be.within(0.09, 0.15);
    routing.close();
    expect(clock.pendingCount).to.equal(0);
  });
});
