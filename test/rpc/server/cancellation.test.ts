import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect } from "chai";
import { GetModelResponseSchema, ModelService } from "../../../gen/sluice/v1/model_service_pb.ts";
import {
  RouterService,
  StreamGenerateRequestSchema,
  type StreamGenerateResponse,
} from "../../../gen/sluice/v1/router_service_pb.ts";
import type { CancelCause, StreamCall, UnaryCall } from "../../../src/service/call.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { startTestServer, type TestServer } from "../../support/start-test-server.ts";
import { makeDelta, makeMethods } from "./fake-methods.ts";
import { describeForGrpcJs, findTransport, openGrpcJs, testTransports } from "./test-clients.ts";

/** How soon a handler must hear that its caller left. */
const NOTICE_MS = 50;

interface Heard {
  readonly cause: CancelCause;
  readonly atMs: number;
}

describe("cancellation", () => {
  let server: TestServer;
  let heard: Heard[];
  let onStream: (call: StreamCall<StreamGenerateResponse>) => void;
  let onUnary: (call: UnaryCall) => void;

  const listen = (call: StreamCall | UnaryCall): void => {
    call.onCancel((cause) => {
      heard.push({ cause, atMs: performance.now() });
      if (cause === "deadline") call.fail({ reason: "DEADLINE_EXCEEDED", message: "too late" });
    });
  };

  beforeEach(async () => {
    heard = [];
    onStream = (call) => {
      listen(call);
      call.write([makeDelta(0)]);
    };
    onUnary = listen;
    server = await startTestServer({
      methods: makeMethods({ stream: (call) => onStream(call), getModel: (_name, call) => onUnary(call) }),
    });
  });

  afterEach(() => server.drain());

  for (const { name, open } of testTransports) {
    it(`reaches the handler within ${NOTICE_MS} ms when a caller leaves a stream (${name})`, async () => {
      const client = open(server.baseUrl);
      const leave = new AbortController();
      const stream = createClient(RouterService, client.transport).streamGenerate(
        {},
        { signal: leave.signal },
      );
      const error = await rejection(async () => {
        for await (const _message of stream) leave.abort();
      });
      const leftMs = performance.now();
      expect(error.code).to.equal(Code.Canceled);
      const first = await eventually(() => {
        expect(heard).to.have.length(1);
        return heard[0];
      });
      expect(first?.cause).to.equal("caller_gone");
      expect((first?.atMs ?? Number.NaN) - leftMs).to.be.below(NOTICE_MS);
      client.close();
    });

    it(`ends a call at the caller's deadline with DEADLINE_EXCEEDED (${name})`, async () => {
      const client = open(server.baseUrl);
      const error = await rejection(() =>
        createClient(ModelService, client.transport).getModel({}, { timeoutMs: 30 }),
      );
      expect(error.code).to.equal(Code.DeadlineExceeded);
      await eventually(() => expect(heard.map(({ cause }) => cause)).to.deep.equal(["deadline"]));
      await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("DEADLINE_EXCEEDED"));
      client.close();
    });

    it(`is not reported after a normal end (${name})`, async () => {
      onStream = (call) => {
        listen(call);
        call.write([makeDelta(0)]);
        call.end();
      };
      onUnary = (call) => {
        listen(call);
        call.respond(create(GetModelResponseSchema));
      };
      const client = open(server.baseUrl);
      for await (const _ of createClient(RouterService, client.transport).streamGenerate({})) {
        // Read to the end.
      }
      await createClient(ModelService, client.transport).getModel({});
      client.close();
      await eventually(() => expect(server.logger.find("call")).to.have.length(2));
      expect(server.logger.find("call").map(({ code }) => code)).to.deep.equal(["OK", "OK"]);
      expect(heard).to.deep.equal([]);
    });
  }

  it("reaches the handler when a grpc-js client cancels", async () => {
    const client = openGrpcJs(server.port);
    const { path, serialize, deserialize } = describeForGrpcJs(RouterService.method.streamGenerate);
    const call = client.makeServerStreamRequest(
      path,
      serialize,
      deserialize,
      create(StreamGenerateRequestSchema),
    );
    call.on("error", () => {});
    call.once("data", () => call.cancel());
    await eventually(() => expect(heard.map(({ cause }) => cause)).to.deep.equal(["caller_gone"]));
    client.close();
    await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("CANCELLED"));
  });

  it("does no harm when the handler throws at it", async () => {
    let begunCount = 0;
    onUnary = (call) => {
      begunCount++;
      call.onCancel(() => {
        throw new Error("the secret plan");
      });
    };
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const leave = new AbortController();
    const answer = rejection(() =>
      createClient(ModelService, client.transport).getModel({}, { signal: leave.signal }),
    );
    await eventually(() => expect(begunCount).to.equal(1));
    leave.abort();
    await answer;
    client.close();
    await eventually(() => expect(server.logger.find("call")[0]?.code).to.equal("INTERNAL"));
    expect(server.logger.find("a handler threw")[0]?.error).to.contain("the secret plan");
  });

  it("reaches a handler that asks after the fact at once", async () => {
    let late: CancelCause | undefined;
    onStream = (call) => {
      call.write([makeDelta(0)]);
      call.onCancel(() =>
        call.onCancel((cause) => {
          late = cause;
        }),
      );
    };
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const leave = new AbortController();
    const stream = createClient(RouterService, client.transport).streamGenerate({}, { signal: leave.signal });
    await rejection(async () => {
      for await (const _message of stream) leave.abort();
    });
    await eventually(() => expect(late).to.equal("caller_gone"));
    client.close();
  });
});

describe("deadlines on the server's clock", () => {
  let server: TestServer;
  let clock: FakeClock;
  let calls: { deadlineMs: number; arrivedMs: number; call: UnaryCall | StreamCall }[];

  beforeEach(async () => {
    clock = new FakeClock();
    calls = [];
    const keep = (call: UnaryCall | StreamCall): void => {
      calls.push({ deadlineMs: call.deadlineMs, arrivedMs: call.arrivedMs, call });
    };
    server = await startTestServer({
      clock,
      methods: makeMethods({ stream: keep, getModel: (_name, call) => keep(call) }),
      config: { defaultTimeoutMs: 5_000, defaultStreamTimeoutMs: 10_000, maxTimeoutMs: 60_000 },
      // This clock leaps: no sign of life can come in between.
      limits: { headersTimeoutMs: 120_000 },
    });
  });

  afterEach(async () => {
    const drained = server.drain();
    await clock.advance(5_000);
    await drained;
    expect(clock.pendingCount).to.equal(0);
  });

  const timeouts: readonly (readonly [title: string, header: Record<string, string>, timeoutMs: number])[] = [
    ["the unary default where there is none", {}, 5_000],
    ["grpc-timeout", { "grpc-timeout": "7S" }, 7_000],
    ["a grpc-timeout in microseconds", { "grpc-timeout": "1500u" }, 1.5],
    ["the server's limit for 600H, which overflows timers", { "grpc-timeout": "600H" }, 60_000],
    ["the server's limit for 99999999H", { "grpc-timeout": "99999999H" }, 60_000],
  ];

  for (const [title, headers, timeoutMs] of timeouts) {
    it(`are set from ${title}`, async () => {
      const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
      const answer = rejection(() => createClient(ModelService, client.transport).getModel({}, { headers }));
      const kept = await eventually(() => {
        expect(calls).to.have.length(1);
        return calls[0];
      });
      expect((kept?.deadlineMs ?? 0) - (kept?.arrivedMs ?? 0)).to.be.closeTo(timeoutMs, 1e-6);
      await clock.advance(timeoutMs - 0.001);
      expect(kept?.call.cancelled).to.equal(undefined);
      await clock.advance(0.001);
      expect(kept?.call.cancelled).to.equal("deadline");
      kept?.call.fail({ reason: "DEADLINE_EXCEEDED", message: "over" });
      expect((await answer).code).to.equal(Code.DeadlineExceeded);
      client.close();
    });
  }

  it("are the stream's default for streams", async () => {
    const client = findTransport("Connect over HTTP/1.1").open(server.baseUrl);
    const answer = rejection(async () => {
      for await (const _ of createClient(RouterService, client.transport).streamGenerate({})) {
        // Nothing comes.
      }
    });
    const kept = await eventually(() => {
      expect(calls).to.have.length(1);
      return calls[0];
    });
    expect((kept?.deadlineMs ?? 0) - (kept?.arrivedMs ?? 0)).to.equal(10_000);
    kept?.call.fail({ reason: "INTERNAL", message: "enough" });
    expect((await answer).code).to.equal(Code.Internal);
  });

  it("end a call whose handler does not, a moment later", async () => {
    const client = findTransport("gRPC over HTTP/2").open(server.baseUrl);
    const answer = rejection(() => createClient(ModelService, client.transport).getModel({}));
    await eventually(() => expect(calls).to.have.length(1));
    await clock.advance(5_250);
    expect((await answer).code).to.equal(Code.DeadlineExceeded);
    client.close();
  });

  for (const [protocol, header, value] of [
    ["gRPC over HTTP/2", "grpc-timeout", "soon"],
    ["gRPC-Web over HTTP/1.1", "grpc-timeout", "123456789S"],
    ["Connect over HTTP/1.1", "connect-timeout-ms", "-1"],
    ["Connect over HTTP/2", "connect-timeout-ms", "12345678901"],
  ] as const) {
    it(`are refused as INVALID_ARGUMENT where ${header} is "${value}" (${protocol})`, async () => {
      const client = findTransport(protocol).open(server.baseUrl);
      const error = await rejection(() =>
        createClient(ModelService, client.transport).getModel({}, { headers: { [header]: value } }),
      );
      expect(error.code).to.equal(Code.InvalidArgument);
      expect(calls).to.deep.equal([]);
      client.close();
    });
  }
});

async function rejection(run: () => Promise<unknown>): Promise<ConnectError> {
  try {
    await run();
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}
