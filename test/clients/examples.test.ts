import { expect } from "chai";
import { eventually } from "../support/eventually.ts";
import { type ExampleProject, openExampleProject } from "./example-project.ts";
import { type LiveServer, startLiveServer } from "./live-server.ts";

interface ExampleCase {
  /** The folder below examples/. */
  readonly name: string;
  /** The program that must be there for the example to run at all. */
  readonly tool: string;
  /** What fetches packages from elsewhere: without a network it fails, and the example cannot run. */
  readonly isFetching: (command: string) => boolean;
  /** Fetches beforehand what a later command would fetch. */
  readonly prefetch?: string;
  /** The last words of each line that the example prints. */
  readonly error: string;
  readonly deadline: string;
  readonly cancel: string;
  /** Requests that the server must have seen cancelled per program: the last, and for OpenAI's clients the timeout too. */
  readonly cancelledCount: number;
}

const NOTHING = () => false;
const OPENAI = {
  error: "404 model_not_found",
  deadline: "timed out",
  cancel: "left after the first words",
  cancelledCount: 2,
};
const EXAMPLES: readonly ExampleCase[] = [
  {
    name: "typescript",
    tool: "node",
    isFetching: NOTHING,
    error: "(NOT_FOUND|NotFound) MODEL_NOT_FOUND",
    deadline: "(DEADLINE_EXCEEDED|DeadlineExceeded)",
    cancel: "(CANCELLED|Canceled)",
    cancelledCount: 1,
  },
  { name: "node-openai", tool: "node", isFetching: NOTHING, ...OPENAI },
  {
    name: "python",
    tool: "python3",
    isFetching: (command) => /venv|pip install/.test(command),
    error: "NOT_FOUND MODEL_NOT_FOUND",
    deadline: "DEADLINE_EXCEEDED",
    cancel: "CANCELLED",
    cancelledCount: 1,
  },
  {
    name: "python-openai",
    tool: "python3",
    isFetching: (command) => /venv|pip install/.test(command),
    ...OPENAI,
  },
  {
    name: "go",
    tool: "go",
    isFetching: NOTHING,
    prefetch: "go mod download",
    error: "NotFound MODEL_NOT_FOUND",
    deadline: "DeadlineExceeded",
    cancel: "Canceled",
    cancelledCount: 1,
  },
  {
    name: "java",
    tool: "mvn",
    isFetching: NOTHING,
    prefetch: "mvn -q -B dependency:resolve-plugins dependency:resolve",
    error: "NOT_FOUND MODEL_NOT_FOUND",
    deadline: "DEADLINE_EXCEEDED",
    cancel: "CANCELLED",
    cancelledCount: 1,
  },
  {
    name: "kotlin",
    tool: "mvn",
    isFetching: NOTHING,
    prefetch: "mvn -q -B dependency:resolve-plugins dependency:resolve",
    error: "NOT_FOUND MODEL_NOT_FOUND",
    deadline: "DEADLINE_EXCEEDED",
    cancel: "left after the first words",
    cancelledCount: 1,
  },
];

describe("the examples, by the commands of their READMEs against a live server", function () {
  // The first run fetches packages and compiles; later ones take a few seconds each.
  this.timeout(600_000);

  let server: LiveServer;

  before(async () => {
    server = await startLiveServer();
  });

  after(async () => {
    expect(await server.stop(), "the server's exit code").to.equal(0);
  });

  for (const example of EXAMPLES) {
    it(`${example.name}: unary, stream, error reason, deadline and cancel`, async function () {
      const project = await openExampleProject(example.name);
      const missing = await findMissing(example, project);
      if (missing !== undefined) {
        sayAtTheEnd(`The example ${example.name} did not run: ${missing}`);
        this.skip();
      }
      let programCount = 0;
      for (const command of project.commands) {
        if (example.isFetching(command)) continue;
        const isProgram = command.endsWith(" 127.0.0.1:50051");
        const before = await server.readRequests();
        const { isOk, out, err } = await project.run(command.replace("127.0.0.1:50051", server.address));
        expect(isOk, `${command}\n${err}`).to.equal(true);
        if (!isProgram) continue;
        programCount++;
        const lines = [
          "unary: example answered [1-9]\\d* characters",
          "stream: [1-9]\\d* characters, finished: [Tt]rue",
          `error: ${example.error}`,
          `deadline: ${example.deadline}`,
          `cancel: ${example.cancel}`,
        ];
        expect(out).to.match(new RegExp(`^${lines.join("\\n")}\\n$`));
        await eventually(async () => {
          const { cancelledCount, inFlightCount } = await server.readRequests();
          expect(inFlightCount, "left in flight").to.equal(0);
          expect(Number(cancelledCount - before.cancelledCount), "cancelled").to.equal(
            example.cancelledCount,
          );
        });
      }
      expect(programCount).to.be.at.least(1);
    });
  }
});

/** Why the example cannot run here, or undefined when it can. */
async function findMissing(example: ExampleCase, project: ExampleProject): Promise<string | undefined> {
  if (!(await project.run(`command -v ${example.tool}`)).isOk) return `there is no ${example.tool} here.`;
  const fetching = project.commands.filter(example.isFetching);
  if (example.prefetch !== undefined) fetching.push(example.prefetch);
  for (const command of fetching) {
    const { isOk, err } = await project.run(command);
    if (!isOk) return `\`${command}\` failed: ${err.trim().split("\n").at(-1)}`;
  }
  return undefined;
}

/** After everything else, where it is not overlooked. */
function sayAtTheEnd(line: string): void {
  process.once("exit", () => console.log(line));
}
