import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect } from "chai";

const ROOT = join(import.meta.dirname, "..");

/** Who may import whom below `src`; the same table stands in docs/architecture.md. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: ["domain"],
  core: ["domain"],
  policies: ["domain", "core", "lib"],
  bus: ["domain", "lib", "config"],
  providers: ["domain", "lib", "config"],
  telemetry: ["domain", "lib"],
  auth: ["domain", "lib", "gen", "config"],
  config: ["domain", "lib"],
  fleet: ["domain", "core", "policies", "lib", "gen", "service"],
  router: ["domain", "core", "policies", "lib"],
  service: ["domain", "router", "lib", "gen"],
  openai: ["domain", "router", "lib", "service"],
  server: ["service", "openai", "domain", "lib", "gen", "config"],
  "simulator-server": ["domain", "lib", "providers"],
  cli: ["domain", "lib", "config", "auth", "gen", "main", "simulator-server"],
  main: [
    "domain",
    "lib",
    "core",
    "policies",
    "bus",
    "fleet",
    "router",
    "telemetry",
    "config",
    "auth",
    "providers",
    "service",
    "openai",
    "server",
    "gen",
  ],
};

/** Which folder or file may import a package; nobody else may. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  nats: ["src/bus/nats-link.ts"],
  opossum: ["src/policies/breaker.ts"],
  pino: ["src/telemetry/logger.ts"],
  "prom-client": ["src/telemetry/prometheus.ts"],
  undici: ["src/providers/"],
  yaml: ["src/config/"],
  zod: ["src/config/"],
  "@connectrpc/connect": ["src/server/connect/", "src/server/health/"],
  "@connectrpc/connect-node": ["src/server/connect/"],
  "@grpc/grpc-js": ["src/cli/"],
  "@bufbuild/protobuf": ["src/service/", "src/server/", "src/cli/", "src/fleet/"],
};

const PORT_FILES: ReadonlySet<string> = new Set(["src/domain/ports.ts", "src/domain/health-bus.ts"]);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const files = listFiles("src");

const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(ROOT, from), "utf8");
  const found = text.matchAll(
    /(?:^|\n)\s*(import|export)(\s+type)?\b[^;]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)/g,
  );
  return [...found].map(([, , type, named, dynamic]) => {
    const target = named ?? dynamic ?? "";
    const to = target.startsWith(".") ? normalize(join(dirname(from), target)) : target;
    return { from, to, typeOnly: type !== undefined };
  });
});

/** The room a path is in: the folder below src, `main`, or `gen`. */
function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "src" ? second.replace(/\.ts$/, "") : top;
}

describe("the architecture", () => {
  it("has every folder of src in the table of imports", () => {
    expect([...new Set(files.map(roomOf))].toSorted()).to.deep.equal(Object.keys(ALLOWED).toSorted());
  });

  it("lets each folder import only what the table allows", () => {
    const wrong = imports
      .filter(
        ({ from, to }) => (to.startsWith("src/") || to.startsWith("gen/")) && roomOf(from) !== roomOf(to),
      )
      .filter(({ from, to }) => !(ALLOWED[roomOf(from)] ?? []).includes(roomOf(to)))
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it("lets providers, server, auth and bus take only types from the configuration", () => {
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        ["providers", "server", "auth", "bus"].includes(roomOf(from)) && roomOf(to) === "config" && !typeOnly,
    );
    expect(wrong).to.deep.equal([]);
  });

  it("imports each package in its one place", () => {
    const wrong = imports
      .filter(({ to }) => !to.startsWith("src/") && !to.startsWith("gen/") && !to.startsWith("node:"))
      .filter(({ from, to }) => {
        const name = to
          .split("/")
          .slice(0, to.startsWith("@") ? 2 : 1)
          .join("/");
        return !(PACKAGES[name] ?? []).some((place) => from.startsWith(place));
      })
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(wrong).to.deep.equal([]);
  });

  it("declares exactly the packages that it imports", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(Object.keys(dependencies).toSorted()).to.deep.equal(Object.keys(PACKAGES).toSorted());
    const reasons = readFileSync(join(ROOT, "docs/decisions/dependencies.md"), "utf8");
    for (const name of Object.keys(dependencies)) expect(reasons).to.include(`\`${name}\``);
  });

  it("has no cycle of imports", () => {
    const targets = new Map<string, string[]>();
    for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`cycle: ${[...path, file].join(" -> ")}`);
      if (done.has(file)) return;
      for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it("takes time and chance from ports everywhere but at the rim", () => {
    const globals =
      /(?<![.\w])(Date\.now|performance\.now|process\.hrtime|setTimeout|setInterval|Math\.random|AbortSignal\.(timeout|any))\b|new Date\(\)/;
    const rim = ["src/lib/clock.ts", "src/lib/random.ts"];
    const wrong = files
      .filter((file) => !rim.includes(file))
      .filter((file) => globals.test(stripComments(readFileSync(join(ROOT, file), "utf8"))));
    expect(wrong).to.deep.equal([]);
  });

  it("touches the process only in main and in the command line", () => {
    const wrong = files
      .filter((file) => !["main", "cli"].includes(roomOf(file)))
      .filter((file) =>
        /\bprocess\.(env|exit|on|argv|std|kill)/.test(stripComments(readFileSync(join(ROOT, file), "utf8"))),
      );
    expect(wrong).to.deep.equal([]);
  });

  it("keeps the core pure: nothing async and nothing of Node", () => {
    const wrong = files
      .filter((file) => roomOf(file) === "core" || roomOf(file) === "domain")
      .filter((file) =>
        /\basync\b|\bawait\b|\bPromise\b|from "node:/.test(stripComments(withoutPorts(file))),
      );
    expect(wrong).to.deep.equal([]);
  });

  it("draws the table of imports in docs/architecture.md as it is here", () => {
    const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
    for (const [room, allowed] of Object.entries(ALLOWED)) {
      const cells = allowed.map((each) => `\`${each}\``).join(", ") || "nothing";
      expect(page).to.include(`| \`${room}\` | ${cells} |`);
    }
  });

  it("has no file over 400 lines", () => {
    const long = files.filter((file) => readFileSync(join(ROOT, file), "utf8").split("\n").length > 400);
    expect(long).to.deep.equal([]);
  });
});

/** The ports describe promises of the rim, so their files may name them. */
function withoutPorts(file: string): string {
  return PORT_FILES.has(file) ? "" : readFileSync(join(ROOT, file), "utf8");
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
}
