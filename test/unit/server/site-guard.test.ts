import { expect } from "chai";
import { SiteGuard, type SiteGuardParts } from "../../../src/server/edge/site-guard.ts";

const TLS = { certificateFile: "a", privateKeyFile: "b" };
const PAGE = "https://app.example.org";

function guard(changes: Partial<SiteGuardParts> = {}): SiteGuard {
  return new SiteGuard({
    config: { tls: undefined },
    boundHost: "127.0.0.1",
    asksCredentials: false,
    corsOrigins: [PAGE],
    ...changes,
  });
}

const isNamed = (subject: SiteGuard, authority: string) =>
  subject.findRefusal(authority, undefined) === undefined;

describe("the guard against web pages", () => {
  for (const [authority, expected] of [
    ["localhost", true],
    ["LOCALHOST:50051", true],
    ["localhost.:50051", true],
    ["a.localhost", true],
    ["127.0.0.1:50051", true],
    ["127.9.9.9", true],
    ["[::1]:50051", true],
    ["rebound.example:50051", false],
    ["localhost.example", false],
    ["127.0.0.1.example", false],
    ["[::2]", false],
    ["192.168.0.1", false],
  ] as const) {
    it(`${expected ? "takes" : "refuses"} ${authority} on loopback without credentials`, () => {
      expect(isNamed(guard(), authority)).to.equal(expected);
      expect(isNamed(guard({ boundHost: "localhost" }), authority)).to.equal(expected);
    });
  }

  it("takes any name where credentials are asked for, with TLS, and on a wider address", () => {
    expect(isNamed(guard({ asksCredentials: true }), "rebound.example")).to.equal(true);
    expect(isNamed(guard({ config: { tls: TLS } }), "rebound.example")).to.equal(true);
    expect(isNamed(guard({ boundHost: "0.0.0.0" }), "rebound.example")).to.equal(true);
  });

  it("takes the configured names and no others, wherever it stands", () => {
    for (const changes of [{}, { asksCredentials: true }, { boundHost: "0.0.0.0" }]) {
      const named = guard({
        ...changes,
        config: { tls: undefined, allowedHosts: ["Sluice.Internal", "::1"] },
      });
      expect(isNamed(named, "sluice.internal:50051")).to.equal(true);
      expect(isNamed(named, "sluice.internal.")).to.equal(true);
      expect(isNamed(named, "[::1]:50051")).to.equal(true);
      expect(isNamed(named, "127.0.0.1")).to.equal(false);
      expect(isNamed(named, "sluice.internal.example")).to.equal(false);
    }
  });

  it("takes pages of the configured origins only, where no credentials are asked for", () => {
    for (const origin of [
      "https://evil.example",
      "null",
      "",
      "http://localhost:50051",
      `${PAGE}.evil.example`,
    ]) {
      expect(guard().findRefusal("localhost", origin)?.status, origin).to.equal(403);
      expect(guard({ boundHost: "0.0.0.0" }).findRefusal("x", origin)?.status, origin).to.equal(403);
      expect(guard({ asksCredentials: true }).findRefusal("x", origin), origin).to.equal(undefined);
    }
    expect(guard().findRefusal("localhost", PAGE)).to.equal(undefined);
    expect(guard().findRefusal("localhost", undefined)).to.equal(undefined);
  });
});
