import { expect } from "chai";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { describeDeployment, findDeployment, readMetrics } from "../../support/read-metrics.ts";
import { CallerError, type RpcCaller, rpcClients, type Spec } from "../clients/rpc-caller.ts";
import { type GridChanges, type GridSluice, startGridSluice } from "./start-grid-sluice.ts";

const SPEC: Spec = {
  messages: [{ role: Role.USER, parts: [{ part: { case: "text", value: CANARIES.prompt } }] }],
};
const CLIENTS = rpcClients.filter(({ name }) => name === "grpc-js" || name.endsWith("gRPC over HTTP/2"));
/** So many quick answers teach the router that `first` begins to answer at once. */
const QUICK_ANSWER_COUNT = 40;

type ModelName = "first" | "second" | "third";

/** What model servers do with the next requests; where nothing is said they stay silent. */
type Scripts = Partial<Record<ModelName, (exchange: UpstreamExchange) => void>>;

/** A moment of a request's walk at which its caller leaves. */
interface GridPoint {
  readonly title: string;
  readonly changes: GridChanges;
  readonly scripts: Scripts;
  /** What goes before. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** The models that were asked when the moment has come. */
  readonly asked: readonly ModelName[];
  /** Further signs of the moment. */
  readonly reached?: (stage: Stage) => Promise<void>;
  /** The models whose servers still work on an answer then. */
  readonly open: readonly ModelName[];
  /** Attempts that had ended before, by model. */
  readonly ended?: Partial<Record<ModelName, string>>;
}

/** A running call. */
interface RunningCall {
  readonly firstToken: Promise<void>;
  leave(): void;
  /** The gRPC code it ended with. */
  readonly ended: Promise<string>;
}

const POINTS: readonly GridPoint[] = [
  {
    title: "while it waits for a place",
    changes: { target: "first" },
    scripts: {},
    prepare: async (stage) => {
      stage.begin(false);
      await stage.untilAsked(["first"]);
    },
    asked: ["first"],
    reached: (stage) => stage.untilInFlight(2),
    open: [],
  },
  {
    title: "before the first byte",
    changes: { target: "first" },
    scripts: {},
    asked: ["first"],
    open: ["first"],
  },
  {
    title: "after the first bytes, before the first token",
    changes: { target: "first" },
    scripts: { first: (exchange) => exchange.begin() },
    asked: ["first"],
    open: ["first"],
  },
  {
    title: "after the first token",
    changes: { target: "first" },
    scripts: { first: beginAnswer },
    asked: ["first"],
    open: ["first"],
  },
  {
    title: "in the back-off before a retry",
    changes: { target: "first", retries: true },
    scripts: { first: fail },
    asked: ["first"],
    reached: (stage) => stage.untilEnded("first", 1),
    open: [],
    ended: { first: "SERVER_ERROR" },
  },
  {
    title: "in a group's delay between two attempts",
    changes: { target: "delayed" },
    scripts: { first: fail },
    asked: ["first"],
    reached: (stage) => stage.untilEnded("first", 1),
    open: [],
    ended: { first: "SERVER_ERROR" },
  },
  {
    title: "in the attempt after a fallback",
    changes: { target: "main" },
    scripts: { first: fail },
    asked: ["first", "second"],
    open: ["second"],
    ended: { first: "SERVER_ERROR" },
  },
  {
    title: "while a hedge races the first attempt",
    changes: { target: "main", hedges: true },
    scripts: {},
    prepare: (stage) => stage.answerQuickly(),
    asked: ["first", "second"],
    open: ["first", "second"],
  },
  {
    title: "while two answers are written",
    changes: { target: "main", bestOfTwo: true },
    scripts: { first: beginAnswer },
    asked: ["first", "second"],
    open: ["first", "second"],
  },
  {
    title: "while the second of two answers is awaited",
    changes: { target: "main", bestOfTwo: true },
    scripts: { first: answer },
    asked: ["first", "second"],
    reached: (stage) => stage.untilEnded("first", 1),
    open: ["second"],
    ended: { first: "SUCCESS" },
  },
  {
    title: "while the judge thinks",
    changes: { target: "main", bestOfTwo: true },
    scripts: { first: answer, second: answer },
    asked: ["first", "second", "third"],
    open: ["third"],
    ended: { first: "SUCCESS", second: "SUCCESS" },
  },
];

/** A Sluice over one model server that plays all three, and a caller. */
class Stage {
  readonly upstream: FakeUpstream;
  readonly sluice: GridSluice;
  readonly caller: RpcCaller;
  readonly #calls: RunningCall[] = [];
  /** Exchanges of the preparation are not looked at. */
  #since = 0;

  private constructor(upstream: FakeUpstream, sluice: GridSluice, caller: RpcCaller) {
    this.upstream = upstream;
    this.sluice = sluice;
    this.caller = caller;
  }

  static async open(changes: GridChanges, open: (port: number) => RpcCaller): Promise<Stage> {
    const upstream = await FakeUpstream.start();
    const sluice = await startGridSluice(upstream.baseUrl, changes);
    return new Stage(upstream, sluice, open(sluice.port));
  }

  /** Ends what still runs. */
  async close(): Promise<void> {
    for (const call of this.#calls) call.leave();
    this.caller.close();
    await this.sluice.stop();
    await this.upstream.close();
  }

  play(scripts: Scripts): void {
    this.upstream.script = (exchange) => scripts[nameModel(exchange)]?.(exchange);
  }

  begin(streams: boolean): RunningCall {
    const leaving = new AbortController();
    const firstToken = Promise.withResolvers<void>();
    const run = async () => {
      const { signal } = leaving;
      if (!streams) {
        await this.caller.generate(SPEC, { signal });
        return;
      }
      for await (const { event } of this.caller.stream(SPEC, { signal })) {
        if (event.case === "textDelta") firstToken.resolve();
      }
    };
    const call: RunningCall = {
      firstToken: firstToken.promise,
      leave: () => leaving.abort(),
      ended: run().then(
        () => "OK",
        (error: unknown) => (error instanceof CallerError ? error.code : String(error)),
      ),
    };
    this.#calls.push(call);
    return call;
  }

  get exchanges(): readonly UpstreamExchange[] {
    return this.upstream.exchanges.slice(this.#since);
  }

  async untilAsked(models: readonly ModelName[]): Promise<void> {
    await eventually(() => expect(this.exchanges.map(nameModel).toSorted()).to.deep.equal(models));
  }

  async untilInFlight(count: number): Promise<void> {
    await eventually(async () => {
      const { requests } = await readMetrics(this.sluice.baseUrl);
      expect(requests?.inFlightCount).to.equal(count);
    });
  }

  async untilEnded(model: ModelName, count: number): Promise<void> {
    await eventually(async () => {
      const { attempts } = findDeployment(await readMetrics(this.sluice.baseUrl), `${model}-house`);
      expect([attempts?.startedCount, attempts?.inFlightCount]).to.deep.equal([BigInt(count), 0]);
    });
  }

  /** Teaches the router how soon `first` usually begins. */
  async answerQuickly(): Promise<void> {
    this.play({ first: answer, second: answer });
    for (let count = 0; count < QUICK_ANSWER_COUNT; count++) await this.caller.generate(SPEC);
    this.#since = this.upstream.exchanges.length;
  }
}

describe("a caller that leaves", function () {
  this.timeout(10_000);
  let stage: Stage;

  afterEach(() => stage.close());

  for (const { name, open } of CLIENTS) {
    for (const streams of [false, true]) {
      for (const point of POINTS) {
        it(`${point.title} ends everything at both ends (${name}, ${streams ? "stream" : "unary"})`, async () => {
          stage = await Stage.open(point.changes, open);
          await point.prepare?.(stage);
          stage.play(point.scripts);
          const before = await readMetrics(stage.sluice.baseUrl);
          const call = stage.begin(streams);
          if (streams && point.title === "after the first token") await call.firstToken;
          await stage.untilAsked(point.asked);
          await point.reached?.(stage);

          call.leave();
          expect(await call.ended).to.equal("CANCELLED");

          const cut = stage.exchanges.filter((each) => point.open.includes(nameModel(each)));
          expect(cut).to.have.length(point.open.length);
          await eventually(() => expect(cut.map(({ isClientGone }) => isClientGone)).to.not.include(false));
          const wanted = before.requests?.inFlightCount ?? 0;
          await stage.untilInFlight(wanted);
          const snapshot = await readMetrics(stage.sluice.baseUrl);
          const { requests, models } = snapshot;
          for (const [model, outcome] of [
            ...Object.entries(point.ended ?? {}),
            ...point.open.map((one) => [one, "CANCELLED"] as const),
          ]) {
            expect(describeDeployment(snapshot, `${model}-house`).outcomes[outcome], model).to.equal(1);
          }
          expect(requests).to.include({ cancelledCount: 1n, failedCount: 0n });
          const inFlight = models
            .flatMap(({ deployments }) => deployments)
            .map((one) => one.attempts?.inFlightCount);
          expect(inFlight.reduce<number>((sum, count) => sum + (count ?? 0), 0)).to.equal(wanted);
          // Nothing is begun for a caller who is gone.
          expect(stage.exchanges.map(nameModel).toSorted()).to.deep.equal(point.asked);
        });
      }

      it(`gives its place back: the next one is served (${name}, ${streams ? "stream" : "unary"})`, async () => {
        stage = await Stage.open({ target: "first" }, open);
        stage.play({});
        const call = stage.begin(streams);
        await stage.untilAsked(["first"]);
        const waiting = stage.begin(false);
        await stage.untilInFlight(2);
        stage.play({ first: answer });
        call.leave();
        expect(await call.ended).to.equal("CANCELLED");
        expect(await waiting.ended).to.equal("OK");
      });

      it(`during a drain lets it end at once (${name}, ${streams ? "stream" : "unary"})`, async () => {
        stage = await Stage.open({ target: "first" }, open);
        stage.play({ first: beginAnswer });
        const call = stage.begin(streams);
        await stage.untilAsked(["first"]);
        if (streams) await call.firstToken;
        const stopped = stage.sluice.stop();
        call.leave();
        expect(await call.ended).to.equal("CANCELLED");
        // Far sooner than the 5 s that a drain may take.
        await stopped;
        expect(stage.exchanges[0]?.isClientGone).to.equal(true);
      }).timeout(4_000);
    }
  }
});

function nameModel({ json }: UpstreamExchange): ModelName {
  return json.model as ModelName;
}

function beginAnswer(exchange: UpstreamExchange): void {
  exchange.begin();
  exchange.sendText("No");
}

function answer(exchange: UpstreamExchange): void {
  beginAnswer(exchange);
  exchange.finish();
}

function fail(exchange: UpstreamExchange): void {
  exchange.answer(500, {}, "");
}
