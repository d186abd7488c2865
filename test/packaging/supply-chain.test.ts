import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

describe("the supply chain", () => {
  let locked: Readonly<Record<string, LockedPackage>> = {};

  before(async () => {
    const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
    const { "": _root, ...others } = packages;
    locked = others;
  });

  it("pins every package by version and hash", async () => {
    expect(Object.keys(locked).length).to.be.above(100);
    for (const [path, { version, integrity }] of Object.entries(locked)) {
      expect(version, path).to.match(/^\d+\.\d+\.\d+/);
      expect(integrity, path).to.match(/^sha512-/);
    }
    const { dependencies, devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(range, name).to.match(/^\d+\.\d+\.\d+$/);
    }
  });

  it("has few packages that would run a script at installation, and none of them at run time", () => {
    const scripted = Object.entries(locked).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    expect(scripted.map(([path]) => path)).to.deep.equal([
      "node_modules/@bufbuild/buf",
      "node_modules/protobufjs",
    ]);
  });

  it("works after npm ci --ignore-scripts: the program, the compiler, the linter and buf", async function () {
    this.timeout(240_000);
    const folder = await mkdtemp(join(tmpdir(), "sluice-install-"));
    try {
      for (const name of ["package.json", "package-lock.json"])
        await cp(join(ROOT, name), join(folder, name));
      const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
      const failure = await run("npm", install, { cwd: folder }).then(
        () => undefined,
        (error: Error & { stderr?: string }) => error.stderr ?? error.message,
      );
      if (failure !== undefined && /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(failure)) {
        process.once("exit", () =>
          console.log("npm ci --ignore-scripts was not tried: the registry is out of reach."),
        );
        this.skip();
      }
      expect(failure).to.equal(undefined);
      for (const name of ["bin", "src", "gen", "proto", "buf.yaml"]) {
        await symlink(join(ROOT, name), join(folder, name));
      }
      const bin = join(folder, "node_modules/.bin");
      const env = { PATH: `${bin}:${process.env.PATH}` };
      for (const command of [
        ["node", "--preserve-symlinks", "--preserve-symlinks-main", "bin/sluice.js", "config", "print"],
        ["tsc", "--version"],
        ["biome", "--version"],
        ["buf", "build", "proto", "-o", "/dev/null"],
      ]) {
        const [program = "", ...args] = command;
        await run(program, args, { cwd: folder, env });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("can be listed as a CycloneDX document that names every package and marks those of development", async function () {
    this.timeout(30_000);
    const { scripts, dependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
    expect(scripts.sbom).to.equal("npm sbom --sbom-format cyclonedx");
    const args = ["sbom", "--sbom-format", "cyclonedx"];
    const { stdout } = await run("npm", args, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
    const document = JSON.parse(stdout);
    expect(document.bomFormat).to.equal("CycloneDX");
    interface Component {
      readonly name: string;
      readonly properties?: readonly { readonly name: string; readonly value: string }[];
    }
    const components: readonly Component[] = document.components;
    const isMarked = (name: string) =>
      components
        .filter((each) => each.name === name)
        .every(({ properties }) =>
          properties?.some((each) => each.name === "cdx:npm:package:development" && each.value === "true"),
        );
    expect(components.map(({ name }) => name)).to.include.members(Object.keys(dependencies));
    for (const name of Object.keys(dependencies)) expect(isMarked(name), name).not.to.equal(true);
    expect(isMarked("typescript")).to.equal(true);
  });
});
