import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadConfig } from "../../src/config/load-config.ts";
import { eventually } from "../support/eventually.ts";
import { type ProgramEnd, type RunningProgram, startProgram } from "../support/run-program.ts";
import { holdsParagraph, listCommands, listParagraphs, ROOT, readFences, readPage } from "./read-markdown.ts";

const START = "npm ci && npm start";
const TEST = "npm ci && npm test";
const DEFAULT_ADDRESS = "127.0.0.1:50051";

/** Where the snippets of a language come from; each is one of these programs, in part. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  python: ["examples/python/client.py"],
  go: ["examples/go/main.go"],
  ts: ["examples/typescript/connect-node.ts", "examples/node-openai/client.ts"],
};

/** What must come of each command that calls the server. */
const COMMANDS: readonly { readonly start: string; readonly check: (end: ProgramEnd) => void }[] = [
  {
    start: "npx sluice stream",
    check: ({ out, err }) => {
      expect(out.trim()).to.match(/^\[simulated answer/);
      expect(err).to.include("SIMULATION");
    },
  },
  {
    start: "npx sluice generate --model glm-4.6 --verbose",
    check: ({ out, err }) => {
      expect(out.trim()).to.not.equal("");
      expect(err).to.include("model: glm-4.6 ");
    },
  },
  { start: "npx sluice metrics", check: ({ out }) => expect(out).to.match(/^replica [\s\S]*glm-4\.6-flash/) },
  {
    start: `curl -sS http://${DEFAULT_ADDRESS}/sluice.v1.RouterService/Generate`,
    check: ({ out }) =>
      expect(JSON.parse(out)).to.include({ simulated: true, finishReason: "FINISH_REASON_STOP" }),
  },
  {
    start: `curl -sSN http://${DEFAULT_ADDRESS}/v1/chat/completions`,
    check: ({ out }) => expect(out).to.match(/^data: \{[\s\S]*data: \[DONE\]\n\n$/),
  },
];

const fences = readFences(readPage("README.md"));
const commands = fences.filter(({ language }) => language === "sh").flatMap(({ text }) => listCommands(text));
const calls = commands.filter((command) => command !== START && command !== TEST);

describe("README.md", () => {
  it("shows only blocks that this suite knows how to check", () => {
    const known = ["sh", "yaml", ...Object.keys(EXAMPLES)];
    for (const { language, line } of fences) expect(known, `line ${line}`).to.include(language);
    for (const call of calls) {
      expect(
        COMMANDS.filter(({ start }) => call.startsWith(start)),
        call,
      ).to.have.length(1);
    }
    expect(calls).to.have.length(COMMANDS.length);
  });

  it("begins with the two commands, and the package has both scripts and a lockfile that fits it", () => {
    expect(commands.slice(0, 2)).to.deep.equal([START, TEST]);
    const manifest = JSON.parse(readPage("package.json"));
    const [locked] = Object.values<Record<string, unknown>>(
      JSON.parse(readPage("package-lock.json")).packages,
    );
    expect(manifest.scripts).to.include.keys("start", "test");
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies"]) {
      expect(locked?.[kind], kind).to.deep.equal(manifest[kind]);
    }
  });

  for (const [language, paths] of Object.entries(EXAMPLES)) {
    const snippets = fences.filter((fence) => fence.language === language);

    it(`has a snippet of each program in ${language}`, () => {
      expect(snippets).to.have.length(paths.length);
    });

    for (const [index, { text, line }] of snippets.entries()) {
      const path = paths[index] ?? "";
      it(`shows at line ${line} what ${path} runs, word for word`, () => {
        const program = readPage(path);
        for (const paragraph of listParagraphs(text)) {
          expect(holdsParagraph(program, paragraph), paragraph).to.equal(true);
        }
      });
    }
  }

  it("shows a configuration that is valid as it stands", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-readme-"));
    const [yaml] = fences.filter(({ language }) => language === "yaml");
    const file = join(folder, "sluice.yaml");
    const files = {
      readText: (path: string) =>
        path === file ? { kind: "text" as const, text: yaml?.text ?? "" } : { kind: "missing" as const },
    };
    try {
      const loaded = loadConfig({ file, folder, files, env: { GLM_API_KEY: "id.secret" } });
      expect(loaded.ok ? [] : loaded.problems).to.deep.equal([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  describe("started with `npm start`", function () {
    // npm, the server and a simulated answer of two seconds; on a busy machine much more.
    this.timeout(60_000);

    let folder: string;
    let server: RunningProgram;
    const ends = new Map<string, ProgramEnd>();

    before(async () => {
      // A folder of its own: no sluice.yaml and no .env of whoever runs the tests.
      folder = await mkdtemp(join(tmpdir(), "sluice-readme-"));
      for (const name of ["package.json", "bin", "src", "gen", "node_modules"]) {
        await symlink(join(ROOT, name), join(folder, name));
      }
      const env = makeEnv();
      const listen = { SLUICE_ADDRESS: "127.0.0.1:0", SLUICE_ADMIN_ADDRESS: "127.0.0.1:0" };
      const [, start = ""] = START.split("&& ");
      // Its own group, because npm does not pass signals on through its shell.
      server = startProgram(["sh", "-c", start], { env: { ...env, ...listen }, cwd: folder, detached: true });
      await eventually(() => expect(server.readOut(), server.readErr()).to.contain("/metrics"), 30_000);
      const [, address = ""] = /is ready on (\S+) with/.exec(server.readOut()) ?? [];
      const run = async (call: string) => {
        const command = call.replaceAll(DEFAULT_ADDRESS, address);
        const program = startProgram(["sh", "-c", command], {
          env: { ...env, SLUICE_SERVER: address },
          cwd: folder,
        });
        ends.set(call, await program.ended);
      };
      await Promise.all(calls.map(run));
    });

    after(async () => {
      const { pid } = server.child;
      if (pid !== undefined && server.child.exitCode === null) process.kill(-pid, "SIGTERM");
      await server.ended;
      await rm(folder, { recursive: true });
    });

    it("says that it simulates, and how to call it", () => {
      expect(server.readOut()).to.match(/with 10 models\.\nSIMULATION: [\s\S]*Call it:\n {2}gRPC/);
    });

    for (const call of calls) {
      it(`answers: ${call.slice(0, 80)}`, () => {
        const end = ends.get(call);
        if (end === undefined) throw new Error("it was not run");
        expect(end.code, end.err).to.equal(0);
        COMMANDS.find(({ start }) => call.startsWith(start))?.check(end);
      });
    }
  });

  it("points to examples that are there", () => {
    for (const path of Object.values(EXAMPLES).flat())
      expect(existsSync(join(ROOT, path)), path).to.equal(true);
  });
});

/** A newcomer's environment: no key, nothing that npm set for the run of the tests, no way to fetch a stranger's package. */
function makeEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|SLUICE_|GLM_)/i.test(name));
  return { ...Object.fromEntries(kept), npm_config_offline: "true" };
}
