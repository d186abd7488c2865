import { copyFile } from "node:fs/promises";
import { connect as connectTls } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect } from "chai";
import { MetricsRequestSchema } from "../../../gen/sluice/v1/metrics_pb.ts";
import { ListModelsRequestSchema, ModelService } from "../../../gen/sluice/v1/model_service_pb.ts";
import { RouterService } from "../../../gen/sluice/v1/router_service_pb.ts";
import { defineMethod } from "../../../src/cli/service-definition.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { FakeUpstream } from "../../support/fake-upstream.ts";
import { makeKey } from "../../unit/auth/make-key.ts";
import { type IssuedCertificate, makeTestAuthority, type TestAuthority } from "./make-authority.ts";
import { type GuardedSluice, startGuardedSluice } from "./start-guarded-sluice.ts";

const CHAT = "URI:spiffe://example.org/ns/prod/sa/chat";

describe("callers with client certificates", function () {
  this.timeout(15_000);

  let authority: TestAuthority;
  let stranger: TestAuthority;
  let server: IssuedCertificate;
  let upstream: FakeUpstream;
  let sluice: GuardedSluice;
  let aheadMs = 0;
  const metricsKey = makeKey({ name: "prometheus", scopes: ["metrics"] });

  before(async () => {
    [authority, stranger, upstream] = await Promise.all([
      makeTestAuthority(),
      makeTestAuthority(),
      FakeUpstream.start(),
    ]);
    server = await authority.issue("DNS:localhost,IP:127.0.0.1");
    sluice = await startGuardedSluice({
      upstream: upstream.baseUrl,
      keys: [metricsKey.key],
      clock: { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs },
      server: `  tls:
    certificate_file: ${server.certificateFile}
    private_key_file: ${server.privateKeyFile}
    client_ca_file: ${authority.caFile}`,
      auth: `  certificates:
    - { subject_name: "${CHAT}", name: chat, scopes: [models.read] }
    - { subject_name: "DNS:batch.example.org", name: batch, scopes: [metrics] }`,
    });
  });

  after(async () => {
    // Undefined where it could not be started; then the rest must be closed all the same.
    await (sluice as GuardedSluice | undefined)?.stop();
    await Promise.all([upstream.close(), authority.remove(), stranger.remove()]);
  });

  /** The status of one call over a connection of its own. */
  async function call(
    what: "models" | "metrics",
    certificate: IssuedCertificate | undefined,
    key?: string,
  ): Promise<string> {
    const channel = credentials.createSsl(
      authority.ca,
      certificate?.privateKey ?? null,
      certificate?.certificate ?? null,
    );
    const client = new Client(`localhost:${sluice.port}`, channel);
    const metadata = new Metadata();
    if (key !== undefined) metadata.set("authorization", `Bearer ${key}`);
    try {
      const error = await new Promise<ServiceError | null>((resolve) => {
        if (what === "models") {
          const { path, requestSerialize, responseDeserialize } = defineMethod(
            ModelService.method.listModels,
          );
          const request = create(ListModelsRequestSchema);
          client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, resolve);
        } else {
          const { path, requestSerialize, responseDeserialize } = defineMethod(RouterService.method.metrics);
          const request = create(MetricsRequestSchema);
          client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, resolve);
        }
      });
      return error === null ? "OK" : (status[error.code] ?? "");
    } finally {
      client.close();
    }
  }

  it("are known by a URI or a host name in it, and may do what its scopes say", async () => {
    const chat = await authority.issue(`DNS:other.example.org,${CHAT}`);
    expect(await call("models", chat)).to.equal("OK");
    expect(await call("metrics", chat)).to.equal("PERMISSION_DENIED");
    const batch = await authority.issue("DNS:BATCH.example.org");
    expect(await call("metrics", batch)).to.equal("OK");
    expect(await call("models", batch)).to.equal("PERMISSION_DENIED");
    expect(sluice.readLog()).to.include(`"caller":"chat","credential":"${CHAT}"`);
  });

  it("are nobody without a certificate, with one that names nobody, and with a name of another kind", async () => {
    expect(await call("models", undefined)).to.equal("UNAUTHENTICATED");
    for (const names of ["", "DNS:chat", "email:chat@example.org", `${CHAT}/x`]) {
      expect(await call("models", await authority.issue(names)), names).to.equal("UNAUTHENTICATED");
    }
    expect(await call("models", await authority.issue(`${CHAT},DNS:batch.example.org`))).to.equal(
      "UNAUTHENTICATED",
    );
  });

  it("cannot come in with a certificate of another authority, or of their own making", async () => {
    expect(await call("models", await stranger.issue(CHAT))).to.be.oneOf(["UNAVAILABLE", "UNAUTHENTICATED"]);
    expect(sluice.readLog()).not.to.match(/UNAVAILABLE.*caller":"chat/);
  });

  it("are nobody once it has expired, also where the handshake was before that", async () => {
    const chat = await authority.issue(CHAT);
    expect(await call("models", chat)).to.equal("OK");
    // The handshake is judged by the machine's clock, as that of a connection would be that is older.
    aheadMs = 25 * 3_600_000;
    expect(await call("models", chat)).to.equal("UNAUTHENTICATED");
    aheadMs = 0;
  });

  it("may show a key instead, and the key decides where both are shown", async () => {
    const chat = await authority.issue(CHAT);
    expect(await call("metrics", undefined, metricsKey.text)).to.equal("OK");
    expect(await call("metrics", chat, metricsKey.text)).to.equal("OK");
    expect(await call("models", chat, metricsKey.text)).to.equal("PERMISSION_DENIED");
    expect(await call("models", chat, `${metricsKey.text}x`)).to.equal("UNAUTHENTICATED");
  });

  it("see the server's new certificate after a reload, and the old one when the new cannot be used", async () => {
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls(
          { host: "127.0.0.1", port: sluice.port, ca: authority.ca, servername: "localhost" },
          () => {
            resolve(socket.getPeerCertificate().serialNumber);
            socket.destroy();
          },
        );
        socket.on("error", reject);
      });
    const before = await serial();
    const fresh = await authority.issue("DNS:localhost,IP:127.0.0.1");
    await copyFile(fresh.certificateFile, server.certificateFile);
    await sluice.reload();
    expect(await serial()).to.equal(before);
    expect(sluice.readLog()).to.include("the certificates cannot be reloaded");
    await copyFile(fresh.privateKeyFile, server.privateKeyFile);
    await sluice.reload();
    expect(await serial()).not.to.equal(before);
  });
});
