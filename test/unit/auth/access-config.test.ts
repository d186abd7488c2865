import { expect } from "chai";
import { type LoadResult, loadConfig } from "../../../src/config/load-config.ts";
import { formatProblem } from "../../../src/config/problem.ts";

const PEM = "-----BEGIN CERTIFICATE-----";

function load(text: string): LoadResult {
  const texts: Readonly<Record<string, string>> = {
    "/project/sluice.yaml": text,
    "/project/tls/a.crt": PEM,
    "/project/tls/a.key": PEM,
    "/project/tls/clients.crt": PEM,
  };
  return loadConfig({
    env: { ORIGIN: "https://env.example.org" },
    folder: "/project",
    files: {
      readText: (path) => {
        const found = texts[path];
        return found === undefined ? { kind: "missing" } : { kind: "text", text: found };
      },
    },
  });
}

function configOf(text: string) {
  const result = load(text);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result;
}

const TLS = `server:
  tls: { certificate_file: tls/a.crt, private_key_file: tls/a.key, client_ca_file: tls/clients.crt }
`;

describe("the configuration of who may call", () => {
  it("is open, for no web page, and passes picture addresses on, where the file says nothing", () => {
    const { config } = configOf("");
    expect([config.auth, config.cors, config.images]).to.deep.equal([undefined, undefined, undefined]);
  });

  it("reads keys file, certificates, origins and picture policy", () => {
    const { config } = configOf(`${TLS}
auth:
  keys_file: keys/sluice.json
  certificates:
    - { subject_name: "URI:spiffe://example.org/chat", name: chat, scopes: [generate, models.read] }
    - { subject_name: "DNS:batch.example.org", name: batch, scopes: [metrics] }
  open_reflection: true
cors:
  origins: ["https://app.example.org", "http://127.0.0.1:8080", "\${ORIGIN}"]
images:
  urls: refuse
`);
    expect(config.auth).to.deep.equal({
      keysFile: "/project/keys/sluice.json",
      certificateIdentities: [
        {
          subjectName: "URI:spiffe://example.org/chat",
          name: "chat",
          scopes: ["generate", "models.read"],
        },
        { subjectName: "DNS:batch.example.org", name: "batch", scopes: ["metrics"] },
      ],
      isReflectionOpen: true,
      isMetricsPageOpen: false,
    });
    expect(config.cors?.origins).to.deep.equal([
      "https://app.example.org",
      "http://127.0.0.1:8080",
      "https://env.example.org",
    ]);
    expect(config.images?.urls).to.equal("refuse");
    expect(config.server.tls?.clientCaFile).to.equal("/project/tls/clients.crt");
  });

  it("does not ask for the keys file to be there: `sluice keys create` makes it, and the server looks", () => {
    expect(configOf("auth: { keys_file: later.json }").config.auth?.keysFile).to.equal("/project/later.json");
  });

  const one = (fields: string) => `${TLS}auth: { certificates: [{ ${fields} }] }\n`;
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["neither keys nor certificates", "auth: {}\n", /auth\.keys_file is left out and no certificates/],
    ["a scope that is none", one('subject_name: "DNS:a", name: a, scopes: [all]'), /scopes\[0\]/],
    ["no scopes", one('subject_name: "DNS:a", name: a, scopes: []'), /one scope or more/],
    ["a name without its kind", one("subject_name: a.example.org, name: a, scopes: [admin]"), /URI: or DNS:/],
    ["a pattern", one('subject_name: "DNS:*.example.org", name: a, scopes: [admin]'), /without patterns/],
    ["a tenant with a space", one('subject_name: "DNS:a", name: "a b", scopes: [admin]'), /letters, digits/],
    [
      "a name twice",
      `${TLS}auth:\n  certificates:\n    - { subject_name: "DNS:a", name: a, scopes: [admin] }\n    - { subject_name: "DNS:A", name: b, scopes: [admin] }\n`,
      /certificates\[1\]\.subject_name is the name of an earlier entry/,
    ],
    [
      "certificates without authorities",
      'auth: { certificates: [{ subject_name: "DNS:a", name: a, scopes: [admin] }] }\n',
      /asks for no client certificates; right would be server\.tls with client_ca_file/,
    ],
    ["every origin", 'cors: { origins: ["*"] }\n', /every page of the web/],
    ["an origin with a path", 'cors: { origins: ["https://a.org/x"] }\n', /here https:\/\/a\.org/],
    ["an origin with a slash", 'cors: { origins: ["https://a.org/"] }\n', /here https:\/\/a\.org/],
    ["an origin in capitals", 'cors: { origins: ["https://A.org"] }\n', /here https:\/\/a\.org/],
    ["an origin of another scheme", 'cors: { origins: ["file:///x"] }\n', /is not http or https/],
    ["no origin at all", 'cors: { origins: ["a.org"] }\n', /is not an origin/],
    ["a policy that is none", "images: { urls: fetch }\n", /pass or refuse/],
    ["an unknown key", "auth: { keys_file: a, token: b }\n", /auth\.token/],
  ];
  for (const [what, text, problem] of wrong) {
    it(`refuses ${what}, and says what would be right`, () => {
      const result = load(text);
      expect(result.ok).to.equal(false);
      expect(result.ok ? "" : result.problems.map(formatProblem).join("\n")).to.match(problem);
    });
  }

  it("warns of keys that cross a network unencrypted, and of nothing else", () => {
    const insecure = (text: string) =>
      configOf(text).notices.filter((notice) => notice.startsWith("INSECURE: callers"));
    expect(insecure('server: { address: "0.0.0.0:1" }\nauth: { keys_file: k }\n')).to.have.length(1);
    expect(insecure("auth: { keys_file: k }\n")).to.have.length(0);
    expect(insecure(`${TLS}  address: "0.0.0.0:1"\nauth: { keys_file: k }\n`)).to.have.length(0);
    expect(insecure('server: { address: "0.0.0.0:1" }\n')).to.have.length(0);
  });
});
