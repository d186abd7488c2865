import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { loadConfig } from "../../src/config/load-config.ts";
import { listCommands, ROOT, readFences } from "./read-markdown.ts";

const FOLDER = join(ROOT, "examples/real-model-server");
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");

/** The example builds a C++ library for ten minutes, so nothing runs it here; this is what can be had for nothing. */
describe("examples/real-model-server", () => {
  it("has a script that bash can read, and that may be run", () => {
    accessSync(join(FOLDER, "try.sh"), constants.X_OK);
    const { status, stderr } = spawnSync("bash", ["-n", join(FOLDER, "try.sh")], { encoding: "utf8" });
    expect(status, stderr).to.equal(0);
  });

  it("has a program that Python can read", () => {
    const parse = "import ast, sys; ast.parse(sys.stdin.read())";
    const { status, stderr } = spawnSync("python3", ["-c", parse], {
      input: read("make_tiny_model.py"),
      encoding: "utf8",
    });
    expect(status, stderr).to.equal(0);
  });

  it("has a configuration that Sluice takes, with one model at the port the model server has", () => {
    const loaded = loadConfig({ file: join(FOLDER, "sluice.yaml"), env: {} });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.config.models.map(({ name }) => name)).to.deep.equal(["tiny"]);
    expect(loaded.config.providers).to.have.nested.property("[0].baseUrl", "http://127.0.0.1:8081/v1");
  });

  it("names the same files, ports and limits in its README as in its script", () => {
    const commands = readFences(read("README.md")).flatMap(({ text }) => listCommands(text));
    const script = read("try.sh");
    expect(commands).to.include("./try.sh");
    for (const command of commands) {
      for (const [file] of command.matchAll(/[\w./-]+\.(?:py|txt|yaml|sh)\b/g)) read(file);
    }
    const serve = commands.find((command) => command.includes("llama_cpp.server"));
    expect(serve).to.include("--port 8081").and.include("--n_ctx 2048");
    expect(script)
      .to.include("MODEL_PORT:-8081")
      .and.include("SLUICE_PORT:-50051")
      .and.include("--n_ctx 2048");
    expect(read("make_tiny_model.py")).to.include("CONTEXT_TOKENS = 2048");
  });

  it("asks for exact versions", () => {
    for (const line of read("requirements.txt").trim().split("\n"))
      expect(line).to.match(/^[\w[\]-]+==[\d.]+$/);
  });
});
