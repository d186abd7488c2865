import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../../gen/health/v1/health_pb.ts";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { type SluiceProcess, startSluiceProcess } from "../../support/sluice-process.ts";
import { startSluiceOver } from "../../support/start-sluice.ts";
import {
  CallerError,
  catchCallerError,
  openGrpcJsCaller,
  type RpcCaller,
  readAll,
  rpcClients,
  type Spec,
} from "../clients/rpc-caller.ts";
import { findTransport } from "../server/test-clients.ts";

const STREAM_COUNT = 40;
const LOOP_COUNT = 8;
const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
};
const HELD: Spec = { ...SPEC, sampling: { stopSequences: ["held"] } };

interface Times {
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
}

function writeYaml(baseUrl: string, { drainDelayMs, drainTimeoutMs }: Times): string {
  return `
server: { drain_delay: ${drainDelayMs}ms, drain_timeout: ${drainTimeoutMs}ms }
providers: { only: { kind: openai, base_url: "${baseUrl}" } }
models:
  - name: relay
    context_window_tokens: 8000
    max_output_tokens: 1000
    deployments: [{ provider: only }]
`;
}

describe("a Sluice that is told to stop", function () {
  // Each test starts a process, which takes half a second on an idle machine and more on a busy one.
  this.timeout(30_000);

  let upstream: FakeUpstream;
  let sluice: SluiceProcess;
  let held: UpstreamExchange[];
  const callers: RpcCaller[] = [];

  async function start(times: Times): Promise<void> {
    sluice = await startSluiceProcess(writeYaml(upstream.baseUrl, times));
  }

  function openCaller(kind = openGrpcJsCaller): RpcCaller {
    const caller = kind(sluice.port);
    callers.push(caller);
    return caller;
  }

  beforeEach(async () => {
    held = [];
    // Requests that ask for it get one token and wait for the test; the others get a short answer at once.
    upstream = await FakeUpstream.start((exchange) => {
      exchange.begin();
      exchange.sendText("No");
      if ("stop" in exchange.json) held.push(exchange);
      else exchange.finish();
    });
  });

  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.close();
    await sluice.remove();
    await upstream.close();
  });

  it("says NOT_SERVING first, breaks no call under way and exits with 0", async () => {
    await start({ drainDelayMs: 500, drainTimeoutMs: 10_000 });
    const health = watchHealth(sluice.baseUrl);
    await eventually(() => expect(health.seen).to.deep.equal(["SERVING"]), 5_000);

    const kinds = Array.from({ length: STREAM_COUNT }, (_, index) => rpcClients[index % rpcClients.length]);
    const streams = kinds.map(async (kind) => {
      const events = await readAll(openCaller(kind?.open).stream(HELD));
      return events.at(-1)?.event.case;
    });
    await eventually(() => expect(held).to.have.length(STREAM_COUNT), 10_000);
    const loops = Array.from({ length: LOOP_COUNT }, () => callUntilRefused(openCaller(), health.seen));

    sluice.signal("SIGTERM");
    await eventually(() => expect(health.seen[1]).to.equal("NOT_SERVING"), 5_000);
    const results = await Promise.all(loops);
    for (const { refusal, seenAtRefusal, lateAnswerCount } of results) {
      expect(refusal.code).to.equal("UNAVAILABLE");
      expect(seenAtRefusal).to.include("NOT_SERVING");
      // The delay is for those who have not noticed yet: they are still served.
      expect(lateAnswerCount).to.be.greaterThan(0);
    }
    // The streams were under way all the time, and their ends come only now.
    for (const exchange of held) {
      exchange.sendText("on.");
      exchange.finish();
    }
    expect(await Promise.all(streams)).to.deep.equal(Array(STREAM_COUNT).fill("finished"));
    const doneMs = performance.now();
    const { code, signal, err } = await sluice.ended;
    expect({ code, signal }).to.deep.equal({ code: 0, signal: null });
    expect(performance.now() - doneMs).to.be.below(5_000);
    expect(err).to.contain('"drained"').and.not.contain("cut short");
    await health.ended;
  });

  it("ends what outlives the grace period with UNAVAILABLE, and still exits with 0", async () => {
    await start({ drainDelayMs: 0, drainTimeoutMs: 200 });
    const caller = openCaller();
    const failures = [
      catchCallerError(caller.generate(HELD)),
      catchCallerError(readAll(caller.stream(HELD))),
    ];
    await eventually(() => expect(held).to.have.length(2), 5_000);
    sluice.signal("SIGTERM");
    for (const failure of failures) {
      const error = await failure;
      expect(error.code).to.equal("UNAVAILABLE");
      expect(error.detail(ErrorInfoSchema)).to.include({ reason: "DRAINING", domain: "sluice" });
    }
    await eventually(() => expect(held.every(({ isClientGone }) => isClientGone)).to.equal(true));
    expect((await sluice.ended).code).to.equal(0);
  });

  it("breaks an answer through the OpenAI door off at the end of the grace period", async () => {
    await start({ drainDelayMs: 0, drainTimeoutMs: 200 });
    const response = await fetch(`${sluice.baseUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "auto",
        messages: [{ role: "user", content: CANARIES.prompt }],
        stream: true,
        stop: ["x"],
      }),
    });
    await eventually(() => expect(held).to.have.length(1));
    sluice.signal("SIGTERM");
    let text = "";
    const decoder = new TextDecoder();
    const isWhole = await (async () => {
      for await (const piece of response.body ?? []) text += decoder.decode(piece, { stream: true });
    })().then(
      () => true,
      () => false,
    );
    expect(isWhole).to.equal(false);
    expect(text).to.contain('"draining"').and.not.contain("[DONE]");
    expect((await sluice.ended).code).to.equal(0);
  });

  for (const [name, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    it(`ends at once at a second ${name}`, async () => {
      await start({ drainDelayMs: 0, drainTimeoutMs: 60_000 });
      const failure = catchCallerError(readAll(openCaller().stream(HELD)));
      await eventually(() => expect(held).to.have.length(1), 5_000);
      sluice.signal(name);
      const health = watchHealth(sluice.baseUrl);
      // No new connection is taken any more: the first signal has arrived.
      await health.ended;
      sluice.signal(name);
      expect((await sluice.ended).code).to.equal(code);
      // Cut in the middle; what a client makes of that is its own matter.
      await failure;
    });
  }
});

describe("a Sluice that stops while the last answers are on their way", function () {
  this.timeout(20_000);

  // How far a connection's farewell has come when the answers end is the matter of a moment: many are tried.
  for (const turnCount of [0, 1, 2, 3, 5, 8, 13]) {
    it(`loses nothing of answers that end ${turnCount} turns of the event loop after the signal`, async () => {
      const held: UpstreamExchange[] = [];
      const upstream = await FakeUpstream.start((exchange) => {
        exchange.begin();
        exchange.sendText("No");
        held.push(exchange);
      });
      const sluice = await startSluiceOver({ only: upstream.baseUrl });
      const caller = openGrpcJsCaller(sluice.port);
      const streams = Array.from({ length: STREAM_COUNT }, () => readAll(caller.stream(SPEC)));
      await eventually(() => expect(held).to.have.length(STREAM_COUNT));
      const stopped = sluice.stop();
      for (let turn = 0; turn < turnCount; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (const exchange of held) exchange.finish();
      const ends = (await Promise.all(streams)).map((events) => events.at(-1)?.event.case);
      expect(ends).to.deep.equal(Array(STREAM_COUNT).fill("finished"));
      await stopped;
      caller.close();
      await upstream.close();
    });
  }
});

/** Calls one call after the other until one is refused; what was answered before that counts as served. */
async function callUntilRefused(
  caller: RpcCaller,
  seen: readonly string[],
): Promise<{ refusal: CallerError; seenAtRefusal: readonly string[]; lateAnswerCount: number }> {
  let lateAnswerCount = 0;
  for (;;) {
    try {
      await caller.generate(SPEC);
      if (seen.includes("NOT_SERVING")) lateAnswerCount++;
    } catch (error) {
      if (error instanceof CallerError) return { refusal: error, seenAtRefusal: [...seen], lateAnswerCount };
      throw error;
    }
  }
}

/** Watches the whole server over a connection of its own. */
function watchHealth(baseUrl: string): { readonly seen: string[]; readonly ended: Promise<void> } {
  const { transport, close } = findTransport("gRPC over HTTP/2").open(baseUrl);
  const seen: string[] = [];
  const watch = async () => {
    try {
      for await (const { status } of createClient(Health, transport).watch({})) {
        seen.push(status === Status.SERVING ? "SERVING" : "NOT_SERVING");
      }
    } catch (error) {
      seen.push(Code[ConnectError.from(error).code]);
    }
    close();
  };
  return { seen, ended: watch() };
}
