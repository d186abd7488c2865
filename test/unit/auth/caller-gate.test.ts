import { expect } from "chai";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Health } from "../../../gen/health/v1/health_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { CallerGate, type GateParts, type GateRequest } from "../../../src/auth/caller-gate.ts";
import { CertificateIdentities } from "../../../src/auth/certificate-identity.ts";
import { KeyStore } from "../../../src/auth/key-store.ts";
import { findMethodRule } from "../../../src/auth/method-access.ts";
import { SCOPES, type Scope } from "../../../src/domain/caller.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeKey } from "./make-key.ts";
import { listServedMethods } from "./served-methods.ts";

const METHODS = await listServedMethods();

/** What this server promises; a new RPC must be added here and to the table of src/auth. */
const PROMISED: Readonly<Record<string, Scope | "open">> = {
  "sluice.v1.RouterService/Generate": "generate",
  "sluice.v1.RouterService/StreamGenerate": "generate",
  "sluice.v1.RouterService/Metrics": "metrics",
  "sluice.v1.RouterService/WatchMetrics": "metrics",
  "sluice.v1.ModelService/ListModels": "models.read",
  "sluice.v1.ModelService/GetModel": "models.read",
  "sluice.v1.ModelService/RecommendModels": "models.read",
  "sluice.v1.ModelService/ExplainRoute": "models.read",
  "sluice.v1.ModelService/TestModels": "admin",
  "sluice.v1.AdminService/ResetPerformance": "admin",
  "sluice.v1.AdminService/ReportUsage": "admin",
  "sluice.v1.AdminService/ListCalls": "admin",
  "grpc.health.v1.Health/Check": "open",
  "grpc.health.v1.Health/Watch": "open",
  "grpc.health.v1.Health/List": "metrics",
  "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "models.read",
  "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "models.read",
};

const KEYS = SCOPES.map((scope) => ({ scope, ...makeKey({ name: scope, scopes: [scope] }) }));

function makeGate(changes: Partial<GateParts> = {}): CallerGate {
  const keys = new KeyStore(
    new FakeClock(),
    KEYS.map(({ key }) => key),
  );
  return new CallerGate({
    keys,
    identities: new CertificateIdentities([]),
    isReflectionOpen: false,
    isMetricsPageOpen: false,
    ...changes,
  });
}

function ask(
  gate: CallerGate,
  target: GateRequest["target"],
  authorization?: string,
  subjectAltName?: string,
) {
  const certificate = subjectAltName === undefined ? undefined : { subjectAltName };
  const answer = gate.admit({ authorization, certificate, target });
  return answer.ok ? (answer.caller?.name ?? "open") : answer.error.reason;
}

const bearer = (scope: Scope) => `Bearer ${KEYS.find((key) => key.scope === scope)?.text}`;

describe("the matrix of methods and scopes", () => {
  it("has a rule for every method of every service that is served, and no other", () => {
    const names = METHODS.map(({ parent, name }) => `${parent.typeName}/${name}`);
    expect(names).to.have.members(Object.keys(PROMISED));
    for (const method of METHODS) expect(findMethodRule(method), method.name).not.to.equal(undefined);
  });

  for (const method of METHODS) {
    const name = `${method.parent.typeName}/${method.name}`;
    const rule = PROMISED[name];
    it(`${name} takes ${rule === "open" ? "anybody" : `only ${rule}`}`, () => {
      const gate = makeGate();
      expect(ask(gate, method)).to.equal(rule === "open" ? "open" : "UNAUTHENTICATED");
      for (const scope of SCOPES) {
        const granted = rule === "open" ? "open" : rule === scope ? scope : "PERMISSION_DENIED";
        expect(ask(gate, method, bearer(scope)), scope).to.equal(granted);
      }
    });
  }

  it("refuses a method without a rule to everybody, whatever its scopes", () => {
    const gate = makeGate();
    for (const target of [
      { name: "Forget", parent: { typeName: "sluice.v1.RouterService" } },
      { name: "Generate", parent: { typeName: "sluice.v2.RouterService" } },
      { name: "constructor", parent: { typeName: "sluice.v1.RouterService" } },
      { name: "generate", parent: { typeName: "sluice.v1.RouterService" } },
    ]) {
      expect(ask(gate, target)).to.equal("UNAUTHENTICATED");
      for (const scope of SCOPES) expect(ask(gate, target, bearer(scope))).to.equal("PERMISSION_DENIED");
    }
  });

  it("gives the paths of the OpenAI door and the metrics page the same scopes, and refuses every other path", () => {
    const gate = makeGate();
    const rules: Readonly<Record<string, Scope | undefined>> = {
      "/v1/chat/completions": "generate",
      "/v1/models": "models.read",
      "/v1/models/a%2Fb": "models.read",
      "/metrics": "metrics",
      "/metrics/": undefined,
      "/v1": undefined,
      "/v1/": undefined,
      "/v1/chat/completions/": undefined,
      "/v1/chat/%63ompletions": undefined,
      "/V1/chat/completions": undefined,
      "/v1//chat/completions": undefined,
      "/v1/modelsx": undefined,
      "/v1/embeddings": undefined,
    };
    for (const [path, rule] of Object.entries(rules)) {
      expect(ask(gate, { path }), path).to.equal("UNAUTHENTICATED");
      for (const scope of SCOPES) {
        expect(ask(gate, { path }, bearer(scope)), `${path} ${scope}`).to.equal(
          scope === rule ? scope : "PERMISSION_DENIED",
        );
      }
    }
  });

  it("leaves the pages of orchestrators open, and the metrics page where the operator opened it", () => {
    for (const path of ["/livez", "/readyz"]) expect(ask(makeGate(), { path })).to.equal("open");
    expect(ask(makeGate({ isMetricsPageOpen: true }), { path: "/metrics" })).to.equal("open");
  });

  it("opens reflection where the operator opened it", () => {
    const gate = makeGate({ isReflectionOpen: true });
    expect(ask(gate, ServerReflection.method.serverReflectionInfo)).to.equal("open");
    expect(ask(gate, Health.method.list)).to.equal("UNAUTHENTICATED");
  });
});

describe("the gate", () => {
  const method = RouterService.method.generate;
  const key = bearer("generate");
  const identities = new CertificateIdentities([
    { subjectName: "URI:spiffe://example.org/chat", name: "chat", scopes: ["generate"] },
    { subjectName: "DNS:Batch.example.org", name: "batch", scopes: ["metrics"] },
  ]);

  it("takes the scheme in any case and nothing else in another form", () => {
    const gate = makeGate();
    const token = key.slice("Bearer ".length);
    for (const good of [key, `bearer ${token}`, `BEARER   ${token}`, `Bearer ${token}  `]) {
      expect(ask(gate, method, good), good).to.equal("generate");
    }
    for (const bad of [
      "",
      "Bearer",
      "Bearer ",
      token,
      `Basic ${Buffer.from(`x:${token}`).toString("base64")}`,
      `Bearer\t${token}`,
      ` Bearer ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer "${token}"`,
      `Bearer ${token}\0`,
      `Bearer ${token}=`,
      `Bearer ${"a".repeat(10_000)}`,
      `Token ${token}`,
    ]) {
      expect(ask(gate, method, bad), JSON.stringify(bad)).to.equal("UNAUTHENTICATED");
    }
  });

  it("says the same to everybody who is unknown, and tells why to the log alone", () => {
    const gate = makeGate();
    const expired = makeKey({ expiresMs: 1 });
    const store = new KeyStore(new FakeClock(), [expired.key]);
    const answers = [
      gate.admit({ authorization: undefined, certificate: undefined, target: method }),
      gate.admit({ authorization: "Basic x", certificate: undefined, target: method }),
      gate.admit({ authorization: `Bearer ${makeKey().text}`, certificate: undefined, target: method }),
      makeGate({ keys: store }).admit({
        authorization: `Bearer ${expired.text}`,
        certificate: undefined,
        target: method,
      }),
      gate.admit({ authorization: undefined, certificate: { subjectAltName: "DNS:x" }, target: method }),
    ];
    const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer]));
    expect(refusals).to.have.length(answers.length);
    expect(new Set(refusals.map(({ error }) => JSON.stringify(error))).size).to.equal(1);
    expect(new Set(refusals.map(({ why }) => why)).size).to.equal(answers.length);
    expect(JSON.stringify(refusals)).not.to.include(expired.text.split("_")[2]);
  });

  it("names the missing scope and the caller's credential, not its key", () => {
    const answer = makeGate().admit({
      authorization: bearer("metrics"),
      certificate: undefined,
      target: method,
    });
    expect(answer.ok ? undefined : answer.error).to.deep.equal({
      reason: "PERMISSION_DENIED",
      message: "this needs the scope generate",
      metadata: { scope: "generate" },
    });
  });

  it("knows a caller by a name of its certificate", () => {
    const gate = makeGate({ identities });
    const cases: readonly (readonly [string, string])[] = [
      ["URI:spiffe://example.org/chat", "chat"],
      ["DNS:other.example.org, URI:spiffe://example.org/chat", "chat"],
      ["DNS:batch.example.org", "PERMISSION_DENIED"],
      ["DNS:BATCH.EXAMPLE.ORG", "PERMISSION_DENIED"],
      ["URI:spiffe://example.org/Chat", "UNAUTHENTICATED"],
      ["URI:spiffe://example.org/chat/x", "UNAUTHENTICATED"],
      ["DNS:spiffe://example.org/chat", "UNAUTHENTICATED"],
      ["email:spiffe://example.org/chat", "UNAUTHENTICATED"],
      ['URI:"spiffe://example.org/x, URI:spiffe://example.org/chat"', "UNAUTHENTICATED"],
      ['DNS:"x, URI:spiffe://example.org/chat', "UNAUTHENTICATED"],
      ["", "UNAUTHENTICATED"],
      // Two identities in one certificate are nobody.
      ["URI:spiffe://example.org/chat, DNS:batch.example.org", "UNAUTHENTICATED"],
    ];
    for (const [names, outcome] of cases) {
      expect(ask(gate, method, undefined, names), names).to.equal(outcome);
    }
  });

  it("goes by the key where both are sent, and does not mend a bad key with a good certificate", () => {
    const gate = makeGate({ identities });
    const chat = "URI:spiffe://example.org/chat";
    expect(ask(gate, method, key, chat)).to.equal("generate");
    expect(ask(gate, method, `${key}x`, chat)).to.equal("UNAUTHENTICATED");
    expect(ask(gate, method, bearer("metrics"), chat)).to.equal("PERMISSION_DENIED");
  });

  it("takes no key where none are configured", () => {
    expect(ask(makeGate({ keys: undefined }), method, key)).to.equal("UNAUTHENTICATED");
  });
});
