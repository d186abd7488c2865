import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { eventually } from "../support/eventually.ts";
import { startProgram } from "../support/run-program.ts";
import { buildImageTree, type ImageTree } from "./build-image-tree.ts";
import { type Confinement, findConfinement } from "./confine.ts";

const ROOT = join(import.meta.dirname, "../..");
const START_MS = 15_000;

/** What the container gets: the image's variables and nothing of this machine but the path; loopback only. */
function makeEnv(tree: ImageTree): NodeJS.ProcessEnv {
  return {
    ...tree.env,
    PATH: process.env.PATH,
    SLUICE_ADDRESS: "127.0.0.1:0",
    SLUICE_ADMIN_ADDRESS: "127.0.0.1:0",
  };
}

const run = promisify(execFile);

describe("packaging", () => {
  // Both suites look at it; it is built once.
  let tree: ImageTree;

  before(async function () {
    // Installs packages and compiles.
    this.timeout(180_000);
    tree = await buildImageTree();
    // As COPY leaves them: root's, and readable by everybody.
    await run("chmod", ["-R", "go=u-w", join(tree.folder, "..")]);
  });

  after(() => tree?.remove());

  describe("the image's steps", function () {
    this.timeout(60_000);

    let confinement: Confinement;

    before(async () => {
      confinement = await findConfinement(tree.folder, tree.uid, tree.gid);
      console.log(`      the image's program runs with ${confinement.description}`);
    });

    function start(command: readonly string[], env: NodeJS.ProcessEnv) {
      return startProgram([...confinement.prefix, ...command], { env, cwd: join(tree.folder, "app") });
    }

    it("leave the program, its packages and nothing else", async () => {
      const app = join(tree.folder, "app");
      expect((await readdir(app)).toSorted()).to.deep.equal([
        "LICENSE",
        "bin",
        "dist",
        "node_modules",
        "package.json",
      ]);
      expect((await readdir(join(app, "dist"))).toSorted()).to.deep.equal(["gen", "src"]);
      const sources = (await readdir(join(app, "dist"), { recursive: true })).filter((file) =>
        file.endsWith(".ts"),
      );
      expect(sources).to.deep.equal([]);
    });

    it("install the packages of production, and neither those of development nor a Node", async () => {
      const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
      const installed = await listPackages(join(tree.folder, "app/node_modules"));
      expect(installed).to.include.members(Object.keys(packages[""].dependencies));
      for (const name of installed) {
        const { dev = false, optional = false } = packages[`node_modules/${name}`];
        expect({ dev, optional }, name).to.deep.equal({ dev: false, optional: false });
      }
    });

    it("make a program that starts, is seen ready by the probe, answers, and ends with 0 on SIGTERM", async () => {
      const env = makeEnv(tree);
      const server = start(tree.command, env);
      const seen = () => `${server.readOut()}${server.readErr()}`;
      try {
        await eventually(() => expect(server.readOut(), seen()).to.contain("/metrics"), START_MS);
        const [, address] = /is ready on (\S+) with/.exec(server.readOut()) ?? [];
        const [, adminAddress] = /Metrics: http:\/\/(\S+)\/metrics/.exec(server.readOut()) ?? [];

        const probed = await start(tree.probe, { ...env, SLUICE_ADMIN_ADDRESS: adminAddress }).ended;
        expect(probed).to.deep.equal({ code: 0, signal: null, out: "", err: "" });

        const [node = "", program = ""] = tree.command;
        const asked = await start([node, program, "generate", "--max-tokens", "5", "Hello"], {
          ...env,
          SLUICE_SERVER: address,
        }).ended;
        expect(asked.err).to.match(/^sluice: SIMULATION: /);
        expect([asked.code, asked.out.trim().length > 0]).to.deep.equal([0, true]);

        server.child.kill("SIGTERM");
        const { code, signal, err } = await server.ended;
        expect({ code, signal }, err).to.deep.equal({ code: 0, signal: null });
        for (const line of err.trim().split("\n")) expect(JSON.parse(line)).to.include({ service: "sluice" });

        const gone = await start(tree.probe, { ...env, SLUICE_ADMIN_ADDRESS: adminAddress }).ended;
        expect(gone.code).to.equal(1);
      } finally {
        server.child.kill("SIGKILL");
        await server.ended;
      }
    });

    it("knows its version and its commands without the sources", async () => {
      const [node = "", program = ""] = tree.command;
      const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
      const { code, out, err } = await start([node, program, "--version"], makeEnv(tree)).ended;
      expect({ code, out, err }).to.deep.equal({ code: 0, out: `sluice ${version}\n`, err: "" });
      const schema = await start([node, program, "config", "schema"], makeEnv(tree)).ended;
      expect(JSON.parse(schema.out)).to.deep.equal(
        JSON.parse(await readFile(join(ROOT, "schema/sluice.schema.json"), "utf8")),
      );
      const config = await start([node, program, "config", "validate"], makeEnv(tree)).ended;
      expect(config.code, config.err).to.equal(0);
    });

    it("is held to a file system that nobody can write, where this machine can do that", async function () {
      if (!confinement.isReadOnly) {
        console.log(`      not shown: ${confinement.description}`);
        this.skip();
      }
      const write = `for (const folder of [process.cwd(), "/", require("node:os").tmpdir()]) {
      try { require("node:fs").writeFileSync(folder + "/sluice-test-file", ""); console.log("wrote", folder); }
      catch (error) { console.log(error.code); }
    }`;
      const { out } = await start([process.execPath, "-e", write], makeEnv(tree)).ended;
      expect(out).to.equal("EROFS\nEROFS\nEROFS\n");
    });
  });

  describe("the npm package", function () {
    this.timeout(60_000);

    let project: string;

    before(async () => {
      project = await mkdtemp(join(tmpdir(), "sluice-package-"));
      const source = join(project, "source");
      await mkdir(source);
      const { files } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
      for (const path of ["package.json", "README.md", "LICENSE", ...files]) {
        const root = path === "dist" ? join(tree.folder, "app") : ROOT;
        await cp(join(root, path), join(source, path), { recursive: true });
      }
      await run("npm", ["pack", "--ignore-scripts", "--pack-destination", project], { cwd: source });
      const [archive = ""] = (await readdir(project)).filter((file) => file.endsWith(".tgz"));
      const installed = join(project, "node_modules/sluice");
      await mkdir(installed, { recursive: true });
      await run("tar", ["-xzf", join(project, archive), "-C", installed, "--strip-components=1"]);
      // npm would put the packages of production beside it.
      const packages = join(tree.folder, "app/node_modules");
      for (const name of await readdir(packages)) {
        if (!name.startsWith(".")) await symlink(join(packages, name), join(project, "node_modules", name));
      }
    });

    after(() => rm(project, { recursive: true }));

    it("has what a user needs and nothing of the workshop", async () => {
      const files = await readdir(join(project, "node_modules/sluice"));
      expect(files).to.include.members([
        "LICENSE",
        "README.md",
        "bin",
        "dist",
        "package.json",
        "proto",
        "schema",
      ]);
      for (const name of ["src", "test", "bench", "scripts", ".env", "Dockerfile"])
        expect(files).to.not.include(name);
    });

    it("runs from node_modules, where Node takes no TypeScript", async () => {
      const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
      const program = join(project, "node_modules/sluice/bin/sluice.js");
      const { code, out, err } = await startProgram([process.execPath, program, "--version"]).ended;
      expect({ code, out, err }).to.deep.equal({ code: 0, out: `sluice ${version}\n`, err: "" });
      const validated = await startProgram([process.execPath, program, "config", "validate"], {
        cwd: project,
      }).ended;
      expect(validated.code, validated.err).to.equal(0);
    });
  });
});

/** The names of the packages in a node_modules, with their scopes. */
async function listPackages(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
  const nested = names.map(async (name) =>
    name.startsWith("@") ? (await readdir(join(folder, name))).map((inner) => `${name}/${inner}`) : [name],
  );
  return (await Promise.all(nested)).flat();
}
