import { expect } from "chai";
import { loadConfig } from "../../../src/config/load-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { limitsSection } from "../../../src/config/schema/limits-section.ts";
import { DEFAULT_SERVER_LIMITS } from "../../../src/config/server-limits.ts";

const TLS = "tls: { certificate_file: a.crt, private_key_file: a.key }";

/** The whole of a valid file, or its problems. */
function load(text: string) {
  const texts: Readonly<Record<string, string>> = {
    "/project/sluice.yaml": text,
    "/project/a.crt": "-----BEGIN CERTIFICATE-----",
    "/project/a.key": "-----BEGIN PRIVATE KEY-----",
  };
  const result = loadConfig({
    env: {},
    folder: "/project",
    files: {
      readText: (path) => {
        const found = texts[path];
        return found === undefined ? { kind: "missing" } : { kind: "text", text: found };
      },
    },
  });
  return result.ok ? result : result.problems.map(formatProblem).join("\n");
}

function serverOf(text: string) {
  const result = load(text);
  if (typeof result === "string") throw new Error(result);
  return result.config.server;
}

describe("the configuration of connections and names", () => {
  it("is as shipped where the file says nothing", () => {
    const { limits, adminTls, allowedHosts } = serverOf("");
    expect({ limits, adminTls, allowedHosts }).to.deep.equal({
      limits: DEFAULT_SERVER_LIMITS,
      adminTls: false,
      allowedHosts: undefined,
    });
  });

  it("reads each limit into a place of its own", () => {
    const shape = limitsSection.unwrap().def.shape;
    const names = Object.keys(shape);
    expect(names).to.have.length(Object.keys(DEFAULT_SERVER_LIMITS).length);
    const changed = names.map((name) => {
      const isTime = /timeout|interval|age|window|grace/.test(name);
      const value = name === "max_request_memory" ? "7MiB" : isTime ? "7ms" : 7;
      const { limits } = serverOf(`server: { limits: { ${name}: ${value} } }\n`);
      const keys = Object.keys(DEFAULT_SERVER_LIMITS) as (keyof typeof DEFAULT_SERVER_LIMITS)[];
      const different = keys.filter((key) => limits[key] !== DEFAULT_SERVER_LIMITS[key]);
      expect(different, name).to.have.length(1);
      return different[0];
    });
    expect(new Set(changed).size).to.equal(names.length);
  });

  it("reads names and TLS of the admin address", () => {
    const server = serverOf(`server: { ${TLS}, admin_tls: true, allowed_hosts: [sluice.internal, "::1"] }\n`);
    expect(server.adminTls).to.equal(true);
    expect(server.allowedHosts).to.deep.equal(["sluice.internal", "::1"]);
  });

  for (const [what, fields, problem] of [
    [
      "TLS of the admin address without a certificate",
      "admin_tls: true",
      /admin_tls is true and there is no tls/,
    ],
    ["a name with a port", 'allowed_hosts: ["a/b"]', /a host name or an IP address, without port/],
    ["no names at all", "allowed_hosts: []", /one host name or more/],
    ["no connections", "limits: { max_connections: 0 }", /limits\.max_connections .*from 1 to/],
    ["a time without a unit", "limits: { idle_timeout: 7 }", /limits\.idle_timeout/],
    ["an unknown limit", "limits: { max_conections: 7 }", /limits\.max_conections/],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(load(`server: { ${fields} }\n`)).to.match(problem);
    });
  }

  it("warns of operators' keys that cross a network unencrypted", () => {
    const warnings = (fields: string) => {
      const result = load(`server: { ${fields} }\nauth: { keys_file: k }\n`);
      return typeof result === "string"
        ? [result]
        : result.notices.filter((notice) => notice.startsWith("INSECURE: operators"));
    };
    expect(warnings('admin_address: "0.0.0.0:9464"')).to.have.length(1);
    expect(warnings(`admin_address: "0.0.0.0:9464", ${TLS}`)).to.have.length(1);
    expect(warnings(`admin_address: "0.0.0.0:9464", ${TLS}, admin_tls: true`)).to.deep.equal([]);
    expect(warnings('address: "127.0.0.1:1"')).to.deep.equal([]);
  });
});
