import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeAccount, encodeOperator, encodeUser, fmtCreds } from "@nats-io/jwt";
import { createAccount, createOperator, createUser } from "@nats-io/nkeys";
import { expect } from "chai";
import type { NatsBusPorts } from "../../src/bus/nats-bus.ts";
import type { NatsSettings } from "../../src/bus/nats-link.ts";
import { parseNatsUrl } from "../../src/config/values/nats-url.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { makeTestAuthority, type TestAuthority } from "../rpc/auth/make-authority.ts";
import { needNatsServer, startNatsServer, type TestNatsServer } from "../support/nats-server.ts";
import { openTestBus, serverAt, whenState } from "../support/open-test-bus.ts";

const NO_TLS_FILES = { caFile: undefined, certificateFile: undefined, privateKeyFile: undefined };
/** An account without limits of its own lets nobody in. */
const UNLIMITED = { conn: -1, subs: -1, data: -1, payload: -1, leaf: -1, imports: -1, exports: -1 };
const hasty: Partial<NatsBusPorts> = {
  clock: { ...systemClock, timer: (delayMs, fn) => systemClock.timer(delayMs / 20, fn) },
};

describe("the credentials of a replica at a real nats-server", () => {
  let program: string;
  let folder: string;
  let authority: TestAuthority;
  const leftovers: (() => Promise<unknown>)[] = [];

  before(async function () {
    program = await needNatsServer(this);
    folder = await mkdtemp(join(tmpdir(), "sluice-nats-credentials-"));
    authority = await makeTestAuthority();
  });

  afterEach(async () => {
    for (const clean of leftovers.splice(0).toReversed()) await clean();
  });

  after(async () => {
    await authority?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  async function startServer(config: string): Promise<TestNatsServer> {
    const server = await startNatsServer(program, config);
    leftovers.push(() => server.remove());
    return server;
  }

  function openBus(server: TestNatsServer, settings: Partial<NatsSettings>) {
    const opened = openTestBus([server.port], settings, hasty);
    leftovers.push(() => opened.bus.close());
    return opened;
  }

  async function expectConnected(server: TestNatsServer, settings: Partial<NatsSettings>): Promise<void> {
    await whenState(openBus(server, settings).bus, "connected");
  }

  async function expectRefused(
    server: TestNatsServer,
    settings: Partial<NatsSettings>,
    reason: string | RegExp,
  ): Promise<void> {
    const { bus, lines } = openBus(server, settings);
    await whenState(bus, "refused");
    expect(lines[0]?.reason).to.match(new RegExp(reason));
  }

  async function writeSecret(name: string, text: string): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  it("are a user and a password, or a token, from the section or from the URL", async () => {
    const users = await startServer("authorization { users: [{ user: r1, password: horse }] }");
    const password = new Secret("horse");
    await expectConnected(users, { credentials: { kind: "password", user: "r1", password } });
    const url = parseNatsUrl(`nats://r1:horse@127.0.0.1:${users.port}`);
    await expectConnected(users, { servers: url.ok ? [url.value] : [] });
    await expectRefused(users, {}, "refuses the credentials");
    const tokens = await startServer("authorization { token: staple }");
    await expectConnected(tokens, { credentials: { kind: "token", token: new Secret("staple") } });
    await expectRefused(
      tokens,
      { credentials: { kind: "token", token: password } },
      "refuses the credentials",
    );
  });

  it("are an nkey, whose file may be put right without a restart", async () => {
    const user = createUser();
    const server = await startServer(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
    const seedFile = await writeSecret("user.nk", "nonsense");
    const { bus, lines } = openBus(server, { credentials: { kind: "nkey", seedFile } });
    await whenState(bus, "refused");
    expect(lines[0]?.reason).to.equal("the file of the credentials holds none that can be used");
    const seed = new TextDecoder().decode(user.getSeed());
    await writeFile(seedFile, `${seed}\n`);
    await whenState(bus, "connected");
    expect(JSON.stringify(lines)).not.to.include(seed);
    const another = await writeSecret("other.nk", new TextDecoder().decode(createUser().getSeed()));
    await expectRefused(
      server,
      { credentials: { kind: "nkey", seedFile: another } },
      "refuses the credentials",
    );
    const missing = { kind: "nkey", seedFile: join(folder, "nowhere") } as const;
    await expectRefused(server, { credentials: missing }, "the nkey seed file cannot be read: ENOENT");
  });

  it("are a credentials file with a JWT of an operator's account", async () => {
    const [operator, account, user] = [createOperator(), createAccount(), createUser()];
    const operatorJwt = await encodeOperator("Test", operator);
    const accountJwt = await encodeAccount("SLUICE", account, { limits: UNLIMITED }, { signer: operator });
    const server = await startServer(
      `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload { ${account.getPublicKey()}: ${accountJwt} }`,
    );
    const creds = new TextDecoder().decode(fmtCreds(await encodeUser("r1", user, account), user));
    for (const [name, text] of [
      ["unix.creds", creds],
      ["windows.creds", creds.replaceAll("\n", "\r\n")],
    ] as const) {
      const credsFile = await writeSecret(name, text);
      await expectConnected(server, { credentials: { kind: "creds", credsFile } });
    }
    const foreign = await encodeUser("r1", user, createAccount());
    const foreignFile = await writeSecret("foreign.creds", new TextDecoder().decode(fmtCreds(foreign, user)));
    await expectRefused(
      server,
      { credentials: { kind: "creds", credsFile: foreignFile } },
      "refuses the cred",
    );
    const emptyFile = await writeSecret("empty.creds", "");
    await expectRefused(
      server,
      { credentials: { kind: "creds", credsFile: emptyFile } },
      "holds none that can be used",
    );
  });

  it("are taken only over TLS with a certificate of the authority, where TLS is wanted", async () => {
    const { certificateFile, privateKeyFile } = await authority.issue("DNS:localhost,IP:127.0.0.1");
    const server = await startServer(
      `tls { cert_file: "${certificateFile}", key_file: "${privateKeyFile}" }`,
    );
    const trusting = { ...NO_TLS_FILES, caFile: authority.caFile };
    await expectConnected(server, { tls: trusting });
    await expectConnected(server, { tls: trusting, servers: [serverAt(server.port, { host: "localhost" })] });
    await expectRefused(server, { tls: NO_TLS_FILES }, "TLS: UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    await expectRefused(server, {}, "TLS: UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    const plain = await startServer("");
    await expectRefused(plain, { tls: trusting }, "does not speak TLS");
    await expectRefused(plain, { servers: [serverAt(plain.port, { isTls: true })] }, "does not speak TLS");
  });

  it("are not shown to a server whose certificate is of another host", async () => {
    const { certificateFile, privateKeyFile } = await authority.issue(
      "DNS:elsewhere.example.org,IP:192.0.2.1",
    );
    const server = await startServer(
      `tls { cert_file: "${certificateFile}", key_file: "${privateKeyFile}" }`,
    );
    const tls = { ...NO_TLS_FILES, caFile: authority.caFile };
    await expectRefused(server, { tls }, "TLS: ERR_TLS_CERT_ALTNAME_INVALID");
    const byName = [serverAt(server.port, { host: "localhost" })];
    await expectRefused(server, { tls, servers: byName }, "TLS: ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("are a client certificate, where the server wants one", async () => {
    const { certificateFile, privateKeyFile } = await authority.issue("IP:127.0.0.1");
    const server = await startServer(
      `tls { cert_file: "${certificateFile}", key_file: "${privateKeyFile}", ca_file: "${authority.caFile}", verify: true }`,
    );
    const replica = await authority.issue("DNS:sluice-1");
    const tls = { caFile: authority.caFile, ...replica };
    await expectConnected(server, { tls });
    // The server's word, or its hang-up where that comes first.
    const withoutOne = { ...NO_TLS_FILES, caFile: authority.caFile };
    await expectRefused(server, { tls: withoutOne }, "^(TLS: |ECONNRESET)");
  });
});
