import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import { Outcome } from "../../gen/sluice/v1/generation_pb.ts";
import {
  BreakerState,
  BusDropReason,
  type FleetMetricsSchema,
  MetricsScope,
  type MetricsSnapshotSchema,
  RefusalReason,
  SharingState,
} from "../../gen/sluice/v1/metrics_pb.ts";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { measureWidth } from "../../src/cli/text-width.ts";
import {
  type ReferenceMethods,
  type ReferenceServer,
  startReferenceServer,
} from "../support/reference-server.ts";
import { TestTerminal, type TestTerminalOptions } from "./test-terminal.ts";

const SNAPSHOT: MessageInitShape<typeof MetricsSnapshotSchema> = {
  snapshotTime: timestampFromMs(1_700_000_000_000),
  replicaId: "replica-1",
  uptimeDuration: durationFromMs(7_505_000),
  requests: { succeededCount: 41n, failedCount: 3n, cancelledCount: 2n, fallbackCount: 1n, inFlightCount: 5 },
  models: [
    {
      model: "智谱-flash",
      deployments: [
        {
          deployment: "glm/智谱-flash",
          breakerState: BreakerState.OPEN,
          nextProbeDelay: durationFromMs(12_000),
          healthScore: 0.25,
          waitingCount: 3,
          evidence: { headroomRatio: 0.4, admittedRatio: 1, cooldownDelay: durationFromMs(9_000) },
          attempts: {
            inFlightCount: 2,
            outcomes: [
              { outcome: Outcome.SUCCESS, count: 12_345n },
              { outcome: Outcome.TIMEOUT, count: 3n },
              { outcome: Outcome.NETWORK, count: 4n },
              { outcome: Outcome.CANCELLED, count: 99n },
            ],
            successRatio: 0.9994,
            timeToFirstToken: { p50Duration: durationFromMs(210), p95Duration: durationFromMs(1_400) },
            totalLatency: { p50Duration: durationFromMs(2_000), p95Duration: durationFromMs(65_000) },
            usage: { inputTokenCount: 1_234_567n, outputTokenCount: 890n, costNanoUsd: 12_340_000_000n },
          },
        },
      ],
    },
    {
      model: "plain",
      deployments: [{ deployment: "sim/plain", breakerState: BreakerState.CLOSED, attempts: {} }],
    },
  ],
};

describe("sluice metrics", () => {
  let server: ReferenceServer | undefined;

  afterEach(() => server?.close());

  async function run(
    methods: ReferenceMethods,
    args: readonly string[] = [],
    options: TestTerminalOptions = {},
  ) {
    server?.close();
    server = await startReferenceServer(methods);
    const terminal = new TestTerminal(options);
    const exit = await runCommandLine(["metrics", "--server", server.address, ...args], terminal);
    return { exit, out: terminal.out, err: terminal.err, writes: terminal.writes };
  }

  const answer: ReferenceMethods = { metrics: () => ({ snapshot: SNAPSHOT }) };

  it("shows every fact of a deployment in one row where the terminal is wide", async () => {
    const { exit, out } = await run(answer, [], { columnCount: 200 });
    expect(exit).to.equal(0);
    const [heading, row] = out.split("\n").slice(-4);
    expect(heading?.split(/ {2,}/)).to.deep.equal([
      ...["DEPLOYMENT", "MODEL", "BREAKER", "HEALTH", "HEADROOM", "PAUSE"],
      ...["IN FLIGHT", "WAITING", "OK/FAILED", "SUCCESS"],
      ...["TTFT P50/P95", "LATENCY P50/P95", "TOKENS IN/OUT", "COST"],
    ]);
    expect(row?.split(/ {2,}/)).to.deep.equal([
      ...["glm/智谱-flash", "智谱-flash", "open 12.0s", "0.25", "40.0%", "cooldown 9.00s"],
      ...["2", "3", "12.3k/7", "99.9%"],
      ...["210ms/1.40s", "2.00s/1m05s", "1.23M/890", "$12.34"],
    ]);
    expect(out).to.contain("replica replica-1\nup 2h05m at 2023-11-14T22:13:20.000Z\n");
    expect(out).to.contain("5 in flight, 41 ok, 3 failed");
  });

  it("shows what is not known as a dash, never as zero", async () => {
    const { out } = await run(answer, [], { columnCount: 200 });
    expect(out.trimEnd().split("\n").at(-1)?.split(/ {2,}/).slice(3)).to.deep.equal([
      ...["-", "-", "-", "0", "0", "0/0"],
      "-",
      "-/-",
      "-/-",
      "-/-",
      "-",
    ]);
  });

  for (const columnCount of [40, 60, 80, 100]) {
    it(`fits ${columnCount} columns and loses no fact`, async () => {
      const { out } = await run(answer, [], { columnCount });
      for (const line of out.split("\n"))
        expect(measureWidth(line), line).to.be.at.most(Math.max(columnCount, 60));
      for (const fact of ["open 12.0s", "12.3k/7", "99.9%", "210ms/1.40s", "$12.34"])
        expect(out).to.contain(fact);
    });
  }

  it("shows the other replicas with --fleet: version, age, disagreement, and how the bus does", async () => {
    let asked: MetricsScope | undefined;
    const fleet: MessageInitShape<typeof FleetMetricsSchema> = {
      sharingState: SharingState.CUT_OFF,
      receivedCount: 12_345n,
      refused: [{ reason: RefusalReason.LATE, count: 2n }, { count: 3n }],
      sentCount: 17n,
      droppedCount: 9n,
      replicas: [
        {
          ...{ replicaId: "replica-2", version: "1.2.3", live: true, disagreementCount: 4, lostCount: 6n },
          ...{ age: durationFromMs(150), uptimeDuration: durationFromMs(7_505_000), refutedCount: 5 },
        },
        { replicaId: "replica-3", live: true, muted: true },
        { replicaId: "replica-4" },
      ],
      bus: {
        ...{ connectionCount: 2n, failureCount: 7n, waitingCount: 1 },
        drops: [{ count: 30n }, { reason: BusDropReason.FORBIDDEN, count: 1n }],
      },
    };
    const metrics: ReferenceMethods["metrics"] = ({ scope }) => {
      asked = scope;
      return { snapshot: { ...SNAPSHOT, fleet } };
    };
    const { exit, out } = await run({ metrics }, ["--fleet"], { columnCount: 200 });
    expect([exit, asked]).to.deep.equal([0, MetricsScope.FLEET]);
    expect(out).to.contain(
      "sharing: cut-off\nmessages: 12.3k received, 17 sent\n          5 refused, 9 dropped\n",
    );
    expect(out).to.contain("bus: 2 connections, 7 failures\n     1 waiting, 31 dropped\n");
    const rows = out.trimEnd().split("\n").slice(-4);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 8))).to.deep.equal([
      ["REPLICA", "STATE", "VERSION", "HEARD", "UP", "DISAGREES", "REFUTED", "LOST"],
      ["replica-2", "live", "1.2.3", "150ms", "2h05m", "4", "5", "6"],
      ["replica-3", "muted", "-", "-", "-", "0", "0", "0"],
      ["replica-4", "silent", "-", "-", "-", "0", "0", "0"],
    ]);
    expect((await run({ metrics }, ["--fleet", "--scopes"])).exit).to.equal(2);
    const alone: ReferenceMethods["metrics"] = () => ({ snapshot: SNAPSHOT });
    expect((await run({ metrics: alone }, ["--fleet"])).out).to.contain("sharing: alone, as configured");
  });

  it("colours only on a terminal that wants it", async () => {
    const escapeCode = "\u001b[";
    expect((await run(answer, [], { isTty: true })).out).to.contain(escapeCode);
    for (const [args, options] of [
      [[], { isTty: false }],
      [["--no-colour"], { isTty: true }],
      [["--no-color"], { isTty: true }],
      [[], { isTty: true, env: { NO_COLOR: "1" } }],
      [[], { isTty: true, env: { TERM: "dumb" } }],
    ] as const) {
      expect((await run(answer, args, options)).out).not.to.contain(escapeCode);
    }
  });

  it("asks for the models that --model names and prints JSON with --json", async () => {
    let asked: readonly string[] = [];
    const metrics: ReferenceMethods["metrics"] = ({ models }) => {
      asked = models;
      return { snapshot: SNAPSHOT };
    };
    const { out } = await run({ metrics }, ["-m", "a", "--model", "b", "--json"]);
    expect(asked).to.deep.equal(["a", "b"]);
    expect(JSON.parse(out).models[0].deployments[0].breakerState).to.equal("BREAKER_STATE_OPEN");
  });

  describe("with --watch", () => {
    let intervalMs = 0;
    const watch: ReferenceMethods = {
      watchMetrics(request, stream) {
        intervalMs = request.intervalDuration === undefined ? 0 : durationMs(request.intervalDuration);
        stream.send({ snapshot: SNAPSHOT });
        stream.send({ snapshot: SNAPSHOT });
      },
    };
    const interruptAtSecond: TestTerminalOptions = {
      onOutput: (out, terminal) => {
        if ((out.match(/replica-1/g) ?? []).length === 2) terminal.interrupt();
      },
    };

    it("appends where the output is no terminal, until Ctrl-C", async () => {
      const { exit, out } = await run(watch, ["--watch"], interruptAtSecond);
      expect(exit).to.equal(130);
      expect(out).not.to.contain("\u001b");
      expect(out.match(/^replica replica-1$/gm)).to.have.length(2);
      expect(intervalMs).to.equal(2_000);
    });

    it("draws over the last table on a terminal and never more lines than it has", async () => {
      const options = { ...interruptAtSecond, isTty: true, rowCount: 8, columnCount: 80 };
      const { writes } = await run(watch, ["--watch", "--interval", "500ms"], options);
      expect(intervalMs).to.equal(500);
      expect(writes).to.have.length(2);
      for (const write of writes) {
        expect(write.startsWith("\u001b[H\u001b[J")).to.equal(true);
        expect(write.split("\n").length).to.be.at.most(8);
        expect(write).to.match(/… \d+ more lines/);
      }
    });

    it("prints one line of JSON per snapshot with --json", async () => {
      const { out } = await run(watch, ["--watch", "--json"], interruptAtSecond);
      for (const line of out.trimEnd().split("\n")) expect(JSON.parse(line).replicaId).to.equal("replica-1");
    });

    it("goes on when the server's own time limit ends the stream", async () => {
      let callCount = 0;
      const limited: ReferenceMethods = {
        watchMetrics(_request, stream) {
          callCount++;
          stream.send({ snapshot: SNAPSHOT });
          stream.end(
            callCount < 3
              ? { code: 4, message: "limit", reason: "DEADLINE_EXCEEDED" }
              : { code: 14, message: "bye", reason: "DRAINING" },
          );
        },
      };
      const { exit, out, err } = await run(limited, ["--watch"]);
      expect(out.match(/^replica/gm)).to.have.length(3);
      expect(exit).to.equal(75);
      expect(err).to.contain("DRAINING");
    });

    it("ends well at the user's own --timeout", async () => {
      expect((await run(watch, ["--watch", "--timeout", "120ms"])).exit).to.equal(0);
    });
  });

  it("refuses an interval that is out of range or goes with nothing", async () => {
    for (const args of [
      ["--watch", "--interval", "50ms"],
      ["--watch", "--interval", "2h"],
      ["--interval", "1s"],
    ]) {
      expect((await run(answer, args)).exit).to.equal(2);
    }
  });
});
