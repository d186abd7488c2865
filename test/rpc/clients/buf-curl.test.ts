import { fileURLToPath } from "node:url";
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { expect } from "chai";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { describeDeployment, readMetrics } from "../../support/read-metrics.ts";
import { type RunningProgram, startProgram } from "../../support/run-program.ts";
import { startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";

const BUF = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));
const DATA = JSON.stringify({
  spec: { messages: [{ role: "ROLE_USER", parts: [{ text: CANARIES.prompt }] }] },
});
const INVALID_ARGUMENT = 3;

describe("buf curl, which asks reflection for the contract", function () {
  // Each call is a process of its own, which compiles the contract it is told.
  this.timeout(20_000);

  let upstream: FakeUpstream;
  let sluice: TestSluice;

  before(async () => {
    upstream = await FakeUpstream.start();
    sluice = await startSluiceOver({ only: upstream.baseUrl });
  });

  beforeEach(() => {
    upstream.script = (exchange) => {
      exchange.begin();
      for (const text of ["No", "on."]) exchange.sendText(text);
      exchange.finish();
    };
  });

  after(async () => {
    await sluice.stop();
    await upstream.close();
  });

  function start(path: string, ...flags: readonly string[]): RunningProgram {
    const url = path === "" ? sluice.baseUrl : `${sluice.baseUrl}/sluice.v1.RouterService/${path}`;
    // A process group of its own, so that an interrupt reaches buf's launcher and buf itself, as Ctrl-C does.
    return startProgram([BUF, "curl", "--http2-prior-knowledge", ...flags, url], { detached: true });
  }

  it("lists the services and their methods", async () => {
    const services = await start("", "--list-services").ended;
    expect(services.out.trim().split("\n")).to.include.members([
      "grpc.health.v1.Health",
      "sluice.v1.ModelService",
      "sluice.v1.RouterService",
    ]);
    const methods = await start("", "--list-methods").ended;
    expect(methods.out).to.contain("sluice.v1.RouterService/Generate\n");
    expect(methods.out).to.contain("sluice.v1.RouterService/StreamGenerate\n");
    expect({ services: services.code, methods: methods.code }).to.deep.equal({ services: 0, methods: 0 });
  });

  for (const protocol of ["grpc", "grpcweb", "connect"]) {
    describe(`over ${protocol}`, () => {
      const flags = ["--protocol", protocol];

      it("gets a whole answer", async () => {
        const { code, out, err } = await start("Generate", ...flags, "-d", DATA).ended;
        expect({ code, err }).to.deep.equal({ code: 0, err: "" });
        expect(JSON.parse(out)).to.include({ text: "Noon.", finishReason: "FINISH_REASON_STOP" });
      });

      it("gets a stream", async () => {
        const { code, out, err } = await start("StreamGenerate", ...flags, "-d", DATA).ended;
        expect({ code, err }).to.deep.equal({ code: 0, err: "" });
        const events = out.split(/\n(?=\{)/).map((text) => JSON.parse(text));
        expect(events[0]).to.have.property("started");
        expect(events.at(-1)).to.have.property("finished");
        expect(events.map((event) => event.textDelta?.text ?? "").join("")).to.equal("Noon.");
      });

      it("shows an error with its details", async () => {
        const { code, err } = await start("Generate", ...flags, "-d", '{"spec":{}}').ended;
        // As its help says: the gRPC code, shifted three bits to the left.
        expect(code).to.equal(INVALID_ARGUMENT << 3);
        const error: { readonly code: string; readonly details: readonly EncodedDetail[] } = JSON.parse(err);
        expect(error.code).to.equal("invalid_argument");
        const [info] = decodeDetails(error.details, ErrorInfoSchema);
        expect(info).to.include({ reason: "INVALID_REQUEST", domain: "sluice" });
        const [bad] = decodeDetails(error.details, BadRequestSchema);
        expect(bad?.fieldViolations.map(({ field }) => field)).to.deep.equal(["spec.messages"]);
      });

      it("frees the model server when it is interrupted", async () => {
        const before = describeDeployment(await readMetrics(sluice.baseUrl), "only").outcomes.CANCELLED ?? 0;
        upstream.exchanges.length = 0;
        upstream.script = (exchange) => {
          exchange.begin();
          exchange.sendText("No");
        };
        const { child, ended } = start("StreamGenerate", ...flags, "-d", DATA);
        await eventually(() => expect(upstream.exchanges).to.have.length(1), 10_000);
        process.kill(-(child.pid ?? Number.NaN), "SIGINT");
        await ended;
        await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
        await eventually(async () => {
          const { outcomes, inFlightCount } = describeDeployment(await readMetrics(sluice.baseUrl), "only");
          expect({ cancelled: outcomes.CANCELLED, inFlightCount }).to.deep.equal({
            cancelled: before + 1,
            inFlightCount: 0,
          });
        });
      });
    });
  }
});

/** A detail as buf prints it. */
interface EncodedDetail {
  readonly type: string;
  /** Base64 without padding. */
  readonly value: string;
}

function decodeDetails<D extends DescMessage>(details: readonly EncodedDetail[], desc: D): MessageShape<D>[] {
  return details
    .filter(({ type }) => type === desc.typeName)
    .map(({ value }) => fromBinary(desc, Buffer.from(value, "base64")));
}
