import { expect } from "chai";
import { redactConfig } from "../../../src/cli/config-report.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { expectConfig, listProblems, loadText, memoryFiles } from "./memory-files.ts";

const SEED = `SU${"A".repeat(56)}`;
const CREDS = "-----BEGIN NATS USER JWT-----\nx\n-----BEGIN USER NKEY SEED-----\n";
const PEM = "-----BEGIN CERTIFICATE-----\n";

function load(yaml: string, env: Record<string, string> = {}) {
  const files = memoryFiles({
    "/project/sluice.yaml": yaml,
    "/project/nats.nk": `${SEED}\n`,
    "/project/nats.creds": CREDS,
    "/project/ca.crt": PEM,
    "/project/r.crt": PEM,
    "/project/r.key": PEM,
  });
  return loadText(yaml, { env, files });
}

function loadNats(yaml: string, env: Record<string, string> = {}) {
  return expectConfig(load(yaml, env)).nats;
}

/** As JSON, with secrets for comparing. */
function reveal(value: unknown): unknown {
  if (value instanceof Secret) return `secret ${value.reveal()}`;
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== "object" || value === null) return value;
  const known = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(known.map(([key, each]) => [key, reveal(each)]));
}

describe("the nats section", () => {
  it("is undefined when neither the file nor NATS_URL speaks of NATS", () => {
    expect(loadNats("")).to.equal(undefined);
    expect(loadNats("", { NATS_URL: "" })).to.equal(undefined);
  });

  it("has defaults for everything, by NATS_URL alone too", () => {
    const defaults = { subjectPrefix: "sluice", encoding: "protobuf" };
    const local = { host: "127.0.0.1", port: 4222, isTls: false };
    expect(reveal(loadNats("nats: {}"))).to.deep.equal({ ...defaults, servers: [local] });
    expect(reveal(loadNats("", { NATS_URL: "nats://127.0.0.1" }))).to.deep.equal({
      ...defaults,
      servers: [local],
    });
  });

  it("takes servers of NATS_URL in place of the file's, and keeps the rest of the file", () => {
    const nats = loadNats("nats: { servers: ['nats://a'], replica_id: r-1, encoding: json }", {
      NATS_URL: "nats://b:5,tls://[::1]",
    });
    expect(nats?.servers.map(({ host, port, isTls }) => [host, port, isTls])).to.deep.equal([
      ["b", 5, false],
      ["::1", 4222, true],
    ]);
    expect([nats?.replicaId, nats?.encoding]).to.deep.equal(["r-1", "json"]);
  });

  for (const [url, expected] of [
    ["nats://h", undefined],
    ["nats://h:1/", undefined],
    ["nats://@h", undefined],
    ["nats://u:p%40%3A:x@h", { kind: "password", user: "u", password: "secret p@::x" }],
    ["nats://t%2Fk@h", { kind: "token", token: "secret t/k" }],
  ] as const) {
    it(`reads ${url}`, () => {
      const server = loadNats("", { NATS_URL: url })?.servers[0];
      expect(server?.host).to.equal("h");
      expect(server?.credentials && reveal(server.credentials)).to.deep.equal(expected);
    });
  }

  for (const url of [
    "h:4222",
    "http://h",
    "nats://",
    "nats://h:70000",
    "nats://h/path",
    "nats://h?x",
    "nats://a b",
  ]) {
    it(`refuses ${url} by the name of the variable and of the field`, () => {
      const [variable = ""] = listProblems(load("", { NATS_URL: url }));
      expect(variable).to.match(/^environment: NATS_URL .*nats:\/\/host:port/);
      const [field = ""] = listProblems(load(`nats: { servers: ["${url}"] }`));
      expect(field).to.match(/nats\.servers\[0\] .*nats:\/\/host:port/);
    });
  }

  it("reads each way of saying who the replica is", () => {
    const ways = {
      "user: u\n  password: p": { kind: "password", user: "u", password: "secret p" },
      "token: t": { kind: "token", token: "secret t" },
      "nkey_seed_file: nats.nk": { kind: "nkey", seedFile: "/project/nats.nk" },
      "creds_file: nats.creds": { kind: "creds", credsFile: "/project/nats.creds" },
    };
    for (const [yaml, credentials] of Object.entries(ways)) {
      expect(reveal(loadNats(`nats:\n  ${yaml}\n`)?.credentials)).to.deep.equal(credentials);
    }
  });

  it("reads TLS, whose files are named from the configuration's folder", () => {
    const yaml = "nats: { tls: { ca_file: ca.crt, certificate_file: r.crt, private_key_file: r.key } }";
    expect(loadNats(yaml)?.tls).to.deep.equal({
      caFile: "/project/ca.crt",
      certificateFile: "/project/r.crt",
      privateKeyFile: "/project/r.key",
    });
    expect(reveal(loadNats("nats: { tls: {} }")?.tls)).to.deep.equal({});
  });

  it("lists all that is wrong at once, by field", () => {
    const yaml = `nats:
  servers: []
  replica_id: Sluice 1
  subject_prefix: sluice.>
  encoding: xml
  password: horse
  token: staple
  nkey_seed_file: ca.crt
  creds_file: nowhere
  tls: { certificate_file: ca.crt }
`;
    const problems = listProblems(load(yaml)).join("\n");
    for (const field of [
      "servers is an empty list",
      "replica_id does not fit",
      "subject_prefix does not fit",
      "encoding is none of the choices",
      "password is given without user",
      "nkey_seed_file is given beside another credential",
      "nkey_seed_file names a file whose content is no seed",
      "creds_file names a file that is not there",
      "tls.certificate_file is given without private_key_file",
    ]) {
      expect(problems).to.include(`nats.${field}`);
    }
    expect(problems).not.to.match(/horse|staple/);
  });

  it("prints no password and no token", () => {
    for (const [yaml, env] of [
      ["nats: { user: u, password: correct-horse }", {}],
      ["nats: { token: correct-horse }", {}],
      ["", { NATS_URL: "nats://u:correct-horse@h,nats://correct-horse@h" }],
    ] as const) {
      const printed = redactConfig(expectConfig(load(yaml, env)));
      expect(printed).to.include("[redacted]").and.not.include("correct-horse");
    }
  });

  it("warns of secrets that go unencrypted to another machine, and only of those", () => {
    const isWarned = (yaml: string) => {
      const result = load(yaml);
      return result.ok && result.notices.some((notice) => notice.includes("password or token for NATS"));
    };
    expect(isWarned("nats: { servers: ['nats://u:p@h'] }")).to.equal(true);
    expect(isWarned("nats: { servers: ['nats://h'], token: t }")).to.equal(true);
    expect(isWarned("nats: { servers: ['tls://u:p@h'] }")).to.equal(false);
    expect(isWarned("nats: { servers: ['nats://u:p@h'], tls: {} }")).to.equal(false);
    expect(isWarned("nats: { servers: ['nats://u:p@127.0.0.1'] }")).to.equal(false);
    expect(isWarned("nats: { servers: ['nats://h'], nkey_seed_file: nats.nk }")).to.equal(false);
  });
});
