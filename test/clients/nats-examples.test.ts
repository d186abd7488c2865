import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { expect } from "chai";
import {
  AlertKind,
  AlertSchema,
  BreakerTransitionSchema,
  PerformanceEventSchema,
} from "../../gen/sluice/v1/events_pb.ts";
import { Outcome } from "../../gen/sluice/v1/generation_pb.ts";
import { BreakerState } from "../../gen/sluice/v1/metrics_pb.ts";
import type { BusMessage } from "../../src/domain/health-bus.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { openTestBus, whenState } from "../support/open-test-bus.ts";
import type { RunningProgram } from "../support/run-program.ts";
import { openExampleProject } from "./example-project.ts";

const ADDRESS = "nats://127.0.0.1:4222";
const EXAMPLES = [
  { name: "nats-python", tool: "python3", isFetching: (command: string) => /venv|pip install/.test(command) },
  { name: "nats-go", tool: "go", isFetching: () => false, prefetch: "go mod download" },
] as const;

const attempt = create(PerformanceEventSchema, {
  replicaId: "r1",
  deployment: "openai/gpt",
  outcome: Outcome.SUCCESS,
});
const transition = create(BreakerTransitionSchema, {
  replicaId: "r1",
  deployment: "openai/gpt",
  toState: BreakerState.OPEN,
});
const alert = create(AlertSchema, { replicaId: "r1", kind: AlertKind.SUCCESS_RATIO, value: 0.5 });

const LINES = [
  "listening",
  "attempt r1 openai/gpt OUTCOME_SUCCESS",
  "breaker r1 openai/gpt BREAKER_STATE_OPEN",
  "alert r1 ALERT_KIND_SUCCESS_RATIO 0.5 raised",
];

const ENCODINGS: Readonly<Record<"protobuf" | "json", readonly BusMessage[]>> = {
  protobuf: [
    message(
      "sluice.v1.perf.r1.openai.openai_2fgpt",
      "PerformanceEvent",
      toBinary(PerformanceEventSchema, attempt),
    ),
    message(
      "sluice.v1.breaker.r1.openai_2fgpt",
      "BreakerTransition",
      toBinary(BreakerTransitionSchema, transition),
    ),
    message("sluice.v1.alert.r1", "Alert", toBinary(AlertSchema, alert)),
  ],
  json: [
    message(
      "sluice.v1.perf.r1.openai.openai_2fgpt",
      "PerformanceEvent",
      toJsonString(PerformanceEventSchema, attempt),
    ),
    message(
      "sluice.v1.breaker.r1.openai_2fgpt",
      "BreakerTransition",
      toJsonString(BreakerTransitionSchema, transition),
    ),
    message("sluice.v1.alert.r1", "Alert", toJsonString(AlertSchema, alert)),
  ],
};

describe("the examples that hear Sluice over NATS, by the commands of their READMEs", function () {
  // The first run fetches packages and compiles; later ones take a few seconds each.
  this.timeout(600_000);

  let server: TestNatsServer;

  before(async function () {
    server = await startNatsServer(await needNatsServer(this));
  });

  after(() => server?.remove());

  for (const example of EXAMPLES) {
    it(`${example.name} prints what replicas tell, in protobuf and in JSON`, async function () {
      const project = await openExampleProject(example.name);
      const fetching = project.commands.filter(example.isFetching);
      if ("prefetch" in example) fetching.push(example.prefetch);
      for (const command of [`command -v ${example.tool}`, ...fetching]) {
        const { isOk, err } = await project.run(command);
        if (isOk) continue;
        const why = `\`${command}\` failed: ${err.trim().split("\n").at(-1)}`;
        process.once("exit", () => console.log(`The example ${example.name} did not run: ${why}`));
        this.skip();
      }
      const programs = project.commands.filter((command) => command.endsWith(` ${ADDRESS}`));
      expect(programs).to.have.length(1);
      for (const command of project.commands) {
        if (example.isFetching(command) || programs.includes(command)) continue;
        const { isOk, err } = await project.run(command);
        expect(isOk, `${command}\n${err}`).to.equal(true);
      }
      const [command = ""] = programs;
      for (const [encoding, messages] of Object.entries(ENCODINGS)) {
        const program = project.start(`${command.replace(ADDRESS, server.url)} ${messages.length}`);
        await waitUntilListening(program);
        const { bus } = openTestBus([server.port], { encoding: encoding as keyof typeof ENCODINGS });
        await whenState(bus, "connected");
        for (const each of messages) expect(bus.publish(each)).to.equal(true);
        const { code, out, err } = await program.ended;
        await bus.close();
        expect([code, err]).to.deep.equal([0, ""]);
        expect(out.trim().split("\n").toSorted()).to.deep.equal(LINES.toSorted());
      }
    });
  }
});

function waitUntilListening({ child, ended, readOut }: RunningProgram): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", () => {
      if (readOut().includes("listening\n")) resolve();
    });
    ended.then(({ err }) => reject(new Error(`the example ended: ${err}`)), reject);
  });
}

function message(subject: string, type: string, payload: Uint8Array | string): BusMessage {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return { subject, type: `sluice.v1.${type}`, payload: bytes };
}
