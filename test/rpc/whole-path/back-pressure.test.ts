import { randomBytes } from "node:crypto";
import { type IncomingMessage, request as requestHttp1 } from "node:http";
import { create } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { expect } from "chai";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { RouterService, StreamGenerateRequestSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import { defineMethod } from "../../../src/cli/service-definition.ts";
import { CANARIES } from "../../support/canaries.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeUpstream, type UpstreamExchange } from "../../support/fake-upstream.ts";
import { measureHeldBytes } from "../../support/held-memory.ts";
import { describeDeployment, readMetrics } from "../../support/read-metrics.ts";
import { startSluiceOver, type TestSluice } from "../../support/start-sluice.ts";

/** 4,000 characters that gzip, which grpc-js offers, cannot make much smaller. */
const TEXT = randomBytes(3_000).toString("base64");

/** Some 32 MB: more than every buffer on the way together. */
const DELTA_COUNT = 8_000;

/** What may be on its way: the kernel's buffers of four sockets, HTTP/2's windows, our queue, Node's streams. */
const MAX_ON_THE_WAY_BYTES = 16 * 1024 * 1024;

/** The part of it that is in this process: client, Sluice and model server together. */
const MAX_HELD_BYTES = 12 * 1024 * 1024;

/** How long nothing may move before we say that it stands still. Longer than the idle timeout below. */
const STILL_MS = 300;
const IDLE_TIMEOUT_MS = 150;

/** Writes deltas as fast as they are taken, and counts them. */
class Flood {
  writtenCount = 0;
  readonly #exchange: UpstreamExchange;

  constructor(exchange: UpstreamExchange) {
    this.#exchange = exchange;
    exchange.begin();
    exchange.response.on("drain", () => this.#pump());
    this.#pump();
  }

  get writtenBytes(): number {
    return this.writtenCount * TEXT.length;
  }

  #pump(): void {
    while (this.writtenCount < DELTA_COUNT) {
      this.writtenCount++;
      if (!this.#exchange.sendText(TEXT)) return;
    }
    this.#exchange.finish();
  }
}

/** A reader that can stop reading, and how much text it has seen. */
interface SlowReader {
  /** Goes on reading; resolves with the number of characters of text when the answer ended well. */
  readToEnd(): Promise<number>;
  leave(): void;
  close(): void;
}

const readers: Readonly<Record<string, (port: number) => Promise<SlowReader>>> = {
  "grpc-js": openGrpcJsReader,
  "HTTP through the OpenAI door": openDoorReader,
};

describe("a caller that does not read", function () {
  this.timeout(20_000);

  let upstream: FakeUpstream;
  let sluice: TestSluice;
  let floods: Flood[];
  let reader: SlowReader | undefined;

  beforeEach(async () => {
    floods = [];
    upstream = await FakeUpstream.start((exchange) => floods.push(new Flood(exchange)));
    sluice = await startSluiceOver(
      { only: upstream.baseUrl },
      { timeouts: { firstTokenMs: 5_000, idleMs: IDLE_TIMEOUT_MS, totalMs: 30_000 } },
    );
  });

  afterEach(async () => {
    reader?.close();
    await sluice.stop();
    await upstream.close();
  });

  /** Opens a reader that reads one piece and no more, and returns the flood once it stands still. */
  async function openStalled(open: (port: number) => Promise<SlowReader>) {
    const opened = await open(sluice.port);
    reader = opened;
    await eventually(() => expect(floods).to.have.length(1));
    const [flood] = floods;
    if (flood === undefined) throw new Error("nothing reached the model server");
    let before = -1;
    let sinceMs = performance.now();
    await eventually(() => {
      if (flood.writtenCount !== before) sinceMs = performance.now();
      before = flood.writtenCount;
      expect(performance.now() - sinceMs).to.be.above(STILL_MS);
    }, 10_000);
    return { flood, reader: opened };
  }

  for (const [name, open] of Object.entries(readers)) {
    it(`stops the model server, holds little memory, and gets all of it later (${name})`, async () => {
      const heldBefore = measureHeldBytes();
      const { flood, reader } = await openStalled(open);
      expect(flood.writtenBytes).to.be.below(MAX_ON_THE_WAY_BYTES);
      expect(measureHeldBytes() - heldBefore).to.be.below(MAX_HELD_BYTES);
      // Silence that the caller causes is not the model server's: the idle timer stood still.
      expect(describeDeployment(await readMetrics(sluice.baseUrl), "only")).to.include({ inFlightCount: 1 });
      expect(await reader.readToEnd()).to.equal(DELTA_COUNT * TEXT.length);
      expect(flood.writtenCount).to.equal(DELTA_COUNT);
      await eventually(async () => {
        const { outcomes, inFlightCount } = describeDeployment(await readMetrics(sluice.baseUrl), "only");
        expect({ outcomes, inFlightCount }).to.deep.equal({ outcomes: { SUCCESS: 1 }, inFlightCount: 0 });
      });
    });

    it(`can leave while its answer is held back (${name})`, async () => {
      const { reader } = await openStalled(open);
      reader.leave();
      await eventually(() => expect(upstream.exchanges[0]?.isClientGone).to.equal(true));
      await eventually(async () => {
        const { outcomes, inFlightCount } = describeDeployment(await readMetrics(sluice.baseUrl), "only");
        expect({ outcomes, inFlightCount }).to.deep.equal({ outcomes: { CANCELLED: 1 }, inFlightCount: 0 });
      });
    });
  }

  it("does not hold up another caller", async () => {
    await openStalled(openGrpcJsReader);
    upstream.script = (exchange) => {
      exchange.begin();
      exchange.sendText("Noon.");
      exchange.finish();
    };
    const other = await openDoorReader(sluice.port);
    expect(await other.readToEnd()).to.equal("Noon.".length);
    other.close();
  });
});

async function openGrpcJsReader(port: number): Promise<SlowReader> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = defineMethod(RouterService.method.streamGenerate);
  const spec = {
    messages: [{ role: Role.USER, parts: [{ part: { case: "text" as const, value: CANARIES.prompt } }] }],
  };
  const call = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    create(StreamGenerateRequestSchema, { spec }),
  );
  call.on("error", () => {});
  await new Promise((resolve) => call.once("readable", resolve));
  return {
    async readToEnd() {
      let characterCount = 0;
      let next = 0;
      let last: string | undefined;
      for await (const { event, sequenceNumber } of call) {
        if (sequenceNumber !== next++) throw new Error(`a gap before event ${sequenceNumber}`);
        if (event.case === "textDelta") characterCount += event.value.text.length;
        last = event.case;
      }
      expect(last).to.equal("finished");
      return characterCount;
    },
    leave: () => call.cancel(),
    close: () => client.close(),
  };
}

async function openDoorReader(port: number): Promise<SlowReader> {
  const request = requestHttp1({
    ...{ host: "127.0.0.1", port, path: "/v1/chat/completions", method: "POST", agent: false },
    headers: { "content-type": "application/json" },
  });
  request.on("error", () => {});
  request.end(
    JSON.stringify({ model: "auto", messages: [{ role: "user", content: CANARIES.prompt }], stream: true }),
  );
  const response = await new Promise<IncomingMessage>((resolve) => {
    request.once("response", resolve);
  });
  response.on("error", () => {});
  return {
    async readToEnd() {
      let characterCount = 0;
      let isDone = false;
      let rest = "";
      for await (const piece of response.setEncoding("utf8")) {
        const lines = (rest + piece).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line === "data: [DONE]") isDone = true;
          else if (line.startsWith("data: ")) characterCount += readContent(line.slice(6)).length;
        }
      }
      expect(isDone).to.equal(true);
      return characterCount;
    },
    leave: () => request.destroy(),
    close: () => request.destroy(),
  };
}

function readContent(json: string): string {
  return JSON.parse(json).choices[0]?.delta.content ?? "";
}
