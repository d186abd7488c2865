import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import { BadRequestSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import {
  FinishReason,
  type GenerationSpec,
  Outcome,
  Priority,
  Role,
  TaskType,
} from "../../gen/sluice/v1/generation_pb.ts";
import { runCommandLine } from "../../src/cli/run-command-line.ts";
import { eventually } from "../support/eventually.ts";
import {
  type ReferenceMethods,
  type ReferenceServer,
  startReferenceServer,
} from "../support/reference-server.ts";
import { TestTerminal, type TestTerminalOptions } from "./test-terminal.ts";

const ANSWER = {
  requestId: "req-1",
  model: "glm-4.6-flash",
  deployment: "glm/glm-4.6-flash",
  provider: "glm",
  text: "Hello, 世界.",
  finishReason: FinishReason.STOP,
  rawFinishReason: "stop",
  usage: { inputTokenCount: 12n, outputTokenCount: 7n, costNanoUsd: 1_500n },
  totalDuration: durationFromMs(1_250),
  attempts: [
    {
      attemptNumber: 1,
      deployment: "a/x",
      outcome: Outcome.RATE_LIMIT,
      httpStatus: 429,
      providerCode: "1302",
    },
    { attemptNumber: 2, deployment: "glm/glm-4.6-flash", outcome: Outcome.SUCCESS },
  ],
};

describe("sluice generate", () => {
  let server: ReferenceServer | undefined;
  let seen: GenerationSpec | undefined;

  afterEach(() => server?.close());

  async function generate(
    args: readonly string[],
    handle: NonNullable<ReferenceMethods["generate"]> = () => ANSWER,
    options: TestTerminalOptions = {},
  ) {
    server?.close();
    server = await startReferenceServer({
      generate(request, onCancelled) {
        seen = request.spec;
        return handle(request, onCancelled);
      },
    });
    const terminal = new TestTerminal(options);
    const exit = await runCommandLine(["generate", "--server", server.address, ...args], terminal);
    expect(terminal.listenerCount, "listeners left").to.equal(0);
    return { exit, out: terminal.out, err: terminal.err };
  }

  it("prints the answer's text and a line end, and nothing else", async () => {
    expect(await generate(["Say", "hello"])).to.deep.equal({ exit: 0, out: "Hello, 世界.\n", err: "" });
    expect(seen?.messages.map(({ role, parts }) => [role, parts[0]?.part.value])).to.deep.equal([
      [Role.USER, "Say hello"],
    ]);
    expect(seen?.target).to.equal(undefined);
  });

  it("puts every option in its field", async () => {
    await generate([
      ...["--model", "m", "--system", "Be brief.", "--priority", "cost", "--task", "code-generation"],
      ...["--temperature", "0.2", "--max-tokens", "64", "--json-output", "text"],
    ]);
    expect(seen?.target?.kind).to.deep.equal({ case: "model", value: "m" });
    expect(seen?.messages.map(({ role }) => role)).to.deep.equal([Role.SYSTEM, Role.USER]);
    expect(seen?.priority).to.equal(Priority.COST);
    expect(seen?.taskType).to.equal(TaskType.CODE_GENERATION);
    expect(seen?.sampling?.temperature).to.equal(0.2);
    expect(seen?.sampling?.maxOutputTokenCount).to.equal(64);
    expect(seen?.responseFormat?.format.case).to.equal("jsonObject");
  });

  for (const args of [[], ["-"]]) {
    it(`reads the prompt from standard input with ${args.length === 0 ? "no text" : "`-`"}`, async () => {
      await generate(args, undefined, { stdin: "from a pipe\n" });
      expect(seen?.messages[0]?.parts[0]?.part.value).to.equal("from a pipe\n");
    });
  }

  it("refuses input that is empty or not UTF-8 before it calls", async () => {
    for (const stdin of ["", " \n", new Uint8Array([0xff, 0xfe, 0x41])]) {
      seen = undefined;
      const { exit, err } = await generate([], undefined, { stdin });
      expect(exit).to.equal(2);
      expect(err).to.match(/prompt is empty|not UTF-8/);
      expect(seen).to.equal(undefined);
    }
  });

  it("sends pictures by value with the type their bytes show, and addresses as they are", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-cli-"));
    try {
      const png = Buffer.from("89504e470d0a1a0a0000", "hex");
      await writeFile(join(folder, "picture.bin"), png);
      await writeFile(join(folder, "text.png"), "no picture");
      await generate(["--image", join(folder, "picture.bin"), "--image", "https://x.example/a.png", "What?"]);
      const [, file, url] = seen?.messages[0]?.parts ?? [];
      expect(file?.part.case === "image" && file.part.value.mediaType).to.equal("image/png");
      expect(
        file?.part.case === "image" && Buffer.from(file.part.value.source.value as Uint8Array),
      ).to.deep.equal(png);
      expect(url?.part.case === "image" && url.part.value.source).to.deep.equal({
        case: "url",
        value: "https://x.example/a.png",
      });
      for (const [image, wrong] of [
        [join(folder, "text.png"), "is no PNG"],
        [join(folder, "missing.png"), "there is no such file"],
        ["http://x.example/a.png", "not an https address"],
      ] as const) {
        const { exit, err } = await generate(["--image", image, "What?"]);
        expect(exit).to.equal(2);
        expect(err).to.contain(wrong);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("prints the whole response as protobuf JSON with --json", async () => {
    const { out } = await generate(["--json", "x"]);
    expect(JSON.parse(out)).to.deep.include({ requestId: "req-1", finishReason: "FINISH_REASON_STOP" });
    expect(JSON.parse(out).usage.costNanoUsd).to.equal("1500");
  });

  it("tells model, usage, cost, time and attempts on standard error with --verbose", async () => {
    const { out, err } = await generate(["-v", "x"]);
    expect(out).to.equal("Hello, 世界.\n");
    expect(err.split("\n")).to.deep.equal([
      "model: glm-4.6-flash by glm/glm-4.6-flash of glm",
      "finish: stop (stop)",
      "usage: 12 tokens in, 7 out, cost $0.0000015",
      "time: 1.25s, first token after -",
      "attempt 1: a/x rate_limit, HTTP 429, code 1302, -",
      "attempt 2: glm/glm-4.6-flash success, -",
      "request id: req-1",
      "",
    ]);
  });

  it("says once that a simulation answered, and that an answer was cut", async () => {
    const { err, out } = await generate(["x"], () => ({
      ...ANSWER,
      simulated: true,
      finishReason: FinishReason.LENGTH,
    }));
    expect(out).to.equal("Hello, 世界.\n");
    expect(err.match(/SIMULATION/g)).to.have.length(1);
    expect(err).to.contain("cut at the limit on tokens");
  });

  it("makes control characters of a model visible on a terminal and leaves them alone in a pipe", async () => {
    const handle = () => ({ ...ANSWER, text: "a\u001b[2Jb\tc\n" });
    expect((await generate(["x"], handle, { isTty: true })).out).to.equal("a␛[2Jb\tc\n");
    expect((await generate(["x"], handle)).out).to.equal("a\u001b[2Jb\tc\n");
  });

  const violation = { field: "spec.messages[0]", description: "is empty; give at least one part" };
  const failures = [
    {
      title: "field violations and the request id",
      error: {
        code: 3,
        message: "The request is wrong.",
        reason: "INVALID_REQUEST",
        details: [{ desc: BadRequestSchema, value: { fieldViolations: [violation] } }],
      },
      exit: 1,
      says: [
        "the call failed: INVALID_ARGUMENT INVALID_REQUEST",
        "  The request is wrong.",
        "  spec.messages[0]: is empty; give at least one part",
        "  request id: reference-request",
      ],
    },
    {
      title: "the delay before a new try",
      error: {
        code: 8,
        message: "Too many.",
        reason: "UPSTREAM_RATE_LIMITED",
        details: [{ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(2_500) } }],
      },
      exit: 75,
      says: ["RESOURCE_EXHAUSTED UPSTREAM_RATE_LIMITED", "  try again in 2.50s"],
    },
    {
      title: "that the quota is used up, which no later try mends",
      error: { code: 8, message: "Used up.", reason: "UPSTREAM_QUOTA_EXHAUSTED" },
      exit: 1,
      says: ["UPSTREAM_QUOTA_EXHAUSTED"],
    },
    {
      title: "that a later try may help when the server is there but its models are not",
      error: { code: 14, message: "All down.", reason: "UPSTREAM_ERROR" },
      exit: 75,
      says: ["UNAVAILABLE UPSTREAM_ERROR"],
    },
    {
      title: "that the server is unreachable when something else answers UNAVAILABLE",
      error: { code: 14, message: "no healthy upstream" },
      exit: 69,
      says: ["cannot reach 127.0.0.1:"],
    },
  ];
  for (const { title, error, exit, says } of failures) {
    it(`reports ${title}`, async () => {
      const result = await generate(["x"], () => error);
      expect(result.exit).to.equal(exit);
      expect(result.out).to.equal("");
      for (const text of says) expect(result.err).to.contain(text);
    });
  }

  it("exits 69 when nobody listens there", async () => {
    const gone = await startReferenceServer({});
    gone.close();
    const terminal = new TestTerminal({ env: { SLUICE_SERVER: gone.address } });
    expect(await runCommandLine(["generate", "x"], terminal)).to.equal(69);
    expect(terminal.err).to.contain(`cannot reach ${gone.address}`);
  });

  it("gives up at --timeout and the server hears of it", async () => {
    let isCancelled = false;
    const { exit, err } = await generate(["--timeout", "100ms", "x"], (_request, onCancelled) => {
      onCancelled(() => {
        isCancelled = true;
      });
      return "silence";
    });
    expect(exit).to.equal(1);
    expect(err).to.contain("DEADLINE_EXCEEDED");
    await eventually(() => expect(isCancelled).to.equal(true));
  });

  it("cancels the call at Ctrl-C and exits 130", async () => {
    let isCancelled = false;
    const calling = Promise.withResolvers<void>();
    server = await startReferenceServer({
      generate(_request, onCancelled) {
        onCancelled(() => {
          isCancelled = true;
        });
        calling.resolve();
        return "silence";
      },
    });
    const terminal = new TestTerminal();
    const running = runCommandLine(["generate", "--server", server.address, "x"], terminal);
    await calling.promise;
    terminal.interrupt();
    expect(await running).to.equal(130);
    expect(terminal.err).to.contain("interrupted");
    await eventually(() => expect(isCancelled).to.equal(true));
  });
});
