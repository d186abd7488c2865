import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "chai";
import { FinishReason, Outcome } from "../../gen/sluice/v1/generation_pb.ts";
import type { StreamGenerateResponseSchema } from "../../gen/sluice/v1/router_service_pb.ts";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { eventually } from "../support/eventually.ts";
import {
  type ReferenceFailure,
  type ReferenceServer,
  type ReferenceStream,
  startReferenceServer,
} from "../support/reference-server.ts";
import { TestTerminal, type TestTerminalOptions } from "./test-terminal.ts";

type Event = NonNullable<MessageInitShape<typeof StreamGenerateResponseSchema>["event"]>;
type Stream = ReferenceStream<typeof StreamGenerateResponseSchema>;

const STARTED: Event = { case: "started", value: { requestId: "req-7", model: "m", deployment: "d" } };
const FINISHED: Event = {
  case: "finished",
  value: { model: "m", deployment: "d", provider: "p", finishReason: FinishReason.STOP },
};
const text = (value: string): Event => ({ case: "textDelta", value: { text: value } });

function sendAll(stream: Stream, events: readonly Event[]): void {
  for (const [sequenceNumber, event] of events.entries())
    stream.send({ sequenceNumber, attemptNumber: 1, event });
}

describe("sluice stream", () => {
  let server: ReferenceServer | undefined;

  afterEach(() => server?.close());

  async function run(
    handle: (stream: Stream) => void,
    args: readonly string[] = [],
    options: TestTerminalOptions = {},
  ) {
    server?.close();
    server = await startReferenceServer({ streamGenerate: (_request, stream) => handle(stream) });
    const terminal = new TestTerminal(options);
    const exit = await runCommandLine(["stream", "--server", server.address, "hi", ...args], terminal);
    expect(terminal.listenerCount, "listeners left").to.equal(0);
    return { exit, out: terminal.out, err: terminal.err, writes: terminal.writes };
  }

  const play = (events: readonly Event[], error?: ReferenceFailure) => (stream: Stream) => {
    sendAll(stream, events);
    stream.end(error);
  };

  it("prints the pieces of text one by one and ends the line", async () => {
    const { exit, writes, err } = await run(play([STARTED, text("one "), text("two"), FINISHED]));
    expect(writes).to.deep.equal(["one ", "two", "\n"]);
    expect(err).to.equal("");
    expect(exit).to.equal(0);
  });

  it("prints each piece before the next one exists", async () => {
    let stream: Stream | undefined;
    const { out } = await run(
      (opened) => {
        stream = opened;
        sendAll(opened, [STARTED, text("first")]);
      },
      [],
      {
        onOutput(soFar) {
          if (soFar !== "first") return;
          stream?.send({ sequenceNumber: 2, event: text(" second") });
          stream?.send({ sequenceNumber: 3, event: FINISHED });
          stream?.end();
        },
      },
    );
    expect(out).to.equal("first second\n");
  });

  it("prints every event as a line of JSON with --json", async () => {
    const { out } = await run(play([STARTED, text("a\nb"), FINISHED]), ["--json"]);
    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events).to.have.length(3);
    expect(events[1].textDelta).to.deep.equal({ text: "a\nb" });
  });

  it("says once that a simulation answers, and tells of a changed attempt with --verbose", async () => {
    const switched: Event = {
      case: "attemptSwitched",
      value: { deployment: "e", previousOutcome: Outcome.TIMEOUT, simulated: true },
    };
    const started: Event = { case: "started", value: { requestId: "req-7", simulated: true } };
    const { err } = await run(play([started, switched, text("x"), FINISHED]), ["--verbose"]);
    expect(err.match(/SIMULATION/g)).to.have.length(1);
    expect(err).to.contain("attempt 1: e after timeout\n");
    expect(err).to.contain("request id: req-7");
  });

  const incomplete: { title: string; handle: (stream: Stream) => void; exit: number; says: string[] }[] = [
    {
      title: "breaks off with an error of Sluice",
      handle: play([STARTED, text("half")], { code: 10, message: "It broke.", reason: "STREAM_INTERRUPTED" }),
      exit: 75,
      says: [
        "the answer broke off and is not complete: ABORTED STREAM_INTERRUPTED",
        "request id: reference-request",
      ],
    },
    {
      title: "breaks off with an error of somebody else",
      handle: play([STARTED, text("half")], { code: 13, message: "reset" }),
      exit: 1,
      says: ["the answer broke off and is not complete: INTERNAL", "request id: req-7"],
    },
    {
      title: "ends well but without its closing event",
      handle: play([STARTED, text("half")]),
      exit: 1,
      says: ["the answer is not complete: the stream ended without its closing event"],
    },
    {
      title: "misses an event in the middle",
      handle(stream) {
        stream.send({ sequenceNumber: 0, event: STARTED });
        stream.send({ sequenceNumber: 2, event: text("half") });
        stream.send({ sequenceNumber: 3, event: FINISHED });
        stream.end();
      },
      exit: 1,
      says: ["the answer is not complete: a part is missing in the middle"],
    },
  ];
  for (const { title, handle, exit, says } of incomplete) {
    it(`never looks complete when a stream ${title}`, async () => {
      const result = await run(handle);
      expect(result.out).to.equal("half\n");
      expect(result.exit).to.equal(exit);
      for (const words of says) expect(result.err).to.contain(words);
    });
  }

  it("reports a call that failed before any text as a failed call", async () => {
    const { exit, out, err } = await run(
      play([], { code: 5, message: "No such model.", reason: "MODEL_NOT_FOUND" }),
    );
    expect({ exit, out }).to.deep.equal({ exit: 1, out: "" });
    expect(err).to.contain("the call failed: NOT_FOUND MODEL_NOT_FOUND");
  });

  it("cancels the call at Ctrl-C, so that the server stops, and exits 130", async () => {
    let isCancelled = false;
    const { exit, err, out } = await run(
      (stream) => {
        stream.onCancelled(() => {
          isCancelled = true;
        });
        sendAll(stream, [STARTED, text("half")]);
      },
      [],
      { onOutput: (_text, terminal) => terminal.interrupt() },
    );
    expect(exit).to.equal(130);
    expect(out).to.equal("half\n");
    expect(err).to.contain("interrupted");
    await eventually(() => expect(isCancelled).to.equal(true));
  });

  it("cancels the call and stays quiet when its reader leaves", async () => {
    let isCancelled = false;
    const { exit, err } = await run(
      (stream) => {
        stream.onCancelled(() => {
          isCancelled = true;
        });
        sendAll(stream, [STARTED, text("one"), text("two")]);
      },
      [],
      { closeAfterWriteCount: 1 },
    );
    expect({ exit, err }).to.deep.equal({ exit: 0, err: "" });
    await eventually(() => expect(isCancelled).to.equal(true));
  });

  it("ends at --timeout with what it has and says so", async () => {
    const { exit, err } = await run(
      (stream) => sendAll(stream, [STARTED, text("half")]),
      ["--timeout", "150ms"],
    );
    expect(exit).to.equal(1);
    expect(err).to.contain("not complete: DEADLINE_EXCEEDED");
  });
});
