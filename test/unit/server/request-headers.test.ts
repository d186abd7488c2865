import { expect } from "chai";
import fc from "fast-check";
import { isValidAuthority } from "../../../src/server/edge/authority.ts";
import { parseCallerTimeout } from "../../../src/server/edge/caller-timeout.ts";
import { chooseRequestId } from "../../../src/server/edge/request-id.ts";
import { detectRpcProtocol } from "../../../src/server/edge/rpc-protocol.ts";
import { validateTraceparent } from "../../../src/server/edge/traceparent.ts";

describe("an authority", () => {
  for (const authority of [
    "a",
    "localhost:8080",
    "a.b-c.example.",
    "127.0.0.1:1",
    "[::1]",
    "[2001:db8::1]:443",
    "a_b",
  ]) {
    it(`may be ${authority}`, () => expect(isValidAuthority(authority)).to.equal(true));
  }

  for (const authority of [
    ...[
      "",
      "[",
      "]",
      "[]",
      "[::1",
      "::1",
      "a:",
      "a:b",
      "a:65536",
      "a:123456",
      "-a",
      ".a",
      "a b",
      "a/b",
      "a?b",
      "a#b",
    ],
    ...["a@b", "a:1@b", "http://a", "ü", "a\0", "[zz::1]", "1.2.3.999", "%41", "a,b", "x".repeat(260)],
  ]) {
    it(`may not be ${JSON.stringify(authority.slice(0, 20))}`, () => {
      expect(isValidAuthority(authority)).to.equal(false);
    });
  }

  it("that passes never makes a URL parser throw", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x20-\x7e]{0,40}$/), (authority) => {
        if (isValidAuthority(authority)) new URL("/path", `http://${authority}`);
      }),
    );
  });
});

describe("a caller's time limit", () => {
  const MAX_MS = 60_000;
  for (const [protocol, value, expected] of [
    ["grpc", "1H", MAX_MS],
    ["grpc", "600H", MAX_MS],
    ["grpc", "99999999H", MAX_MS],
    ["grpc", "1M", 60_000],
    ["grpc", "2S", 2_000],
    ["grpc-web", "3m", 3],
    ["grpc", "5u", 0.005],
    ["grpc", "7000000n", 7],
    ["grpc", "0S", 0],
    ["connect", "1500", 1_500],
    ["connect", "9999999999", MAX_MS],
    ["connect", "0", 0],
  ] as const) {
    it(`of ${value} in ${protocol} is ${expected} ms`, () => {
      const timeout = parseCallerTimeout(protocol, value, MAX_MS);
      if (timeout.kind !== "given") throw new Error(timeout.kind);
      expect(timeout.timeoutMs).to.be.closeTo(expected, 1e-9);
    });
  }

  for (const [protocol, value] of [
    ...["", "S", "1", "1s", "1h", "-1S", "1.5S", " 1S", "1S ", "123456789S", "0x1S"].map(
      (text) => ["grpc", text] as const,
    ),
    ...["", "1S", "-1", "1.5", "12345678901", " 1", "1e3"].map((text) => ["connect", text] as const),
  ]) {
    it(`of "${value}" in ${protocol} is invalid`, () => {
      expect(parseCallerTimeout(protocol, value, MAX_MS)).to.deep.equal({ kind: "invalid" });
    });
  }

  it("that is absent is absent", () => {
    expect(parseCallerTimeout("grpc", undefined, MAX_MS)).to.deep.equal({ kind: "absent" });
  });

  it("never exceeds the server's limit", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{1,8}[HMSmun]$/), (value) => {
        const timeout = parseCallerTimeout("grpc", value, MAX_MS);
        return timeout.kind === "given" && timeout.timeoutMs >= 0 && timeout.timeoutMs <= MAX_MS;
      }),
    );
  });
});

describe("a traceparent", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const parent = "b7ad6b7169203331";
  it("is kept where it is valid", () => {
    expect(validateTraceparent(`00-${trace}-${parent}-00`)).to.equal(`00-${trace}-${parent}-00`);
  });

  for (const value of [
    undefined,
    "",
    `01-${trace}-${parent}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${"0".repeat(32)}-${parent}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace}-${parent}-01-more`,
    `00-${trace}-${parent}-1`,
    `00-${trace}-${parent}`,
  ]) {
    it(`is dropped where it is ${value}`, () => expect(validateTraceparent(value)).to.equal(undefined));
  }
});

describe("a request id", () => {
  it("is the caller's where it is acceptable, and a fresh UUID otherwise", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 140 }), (text) => {
        const id = chooseRequestId(text);
        expect(id).to.match(/^[A-Za-z0-9._:-]{1,128}$/);
        if (/^[A-Za-z0-9._:-]{1,128}$/.test(text)) expect(id).to.equal(text);
      }),
    );
    expect(chooseRequestId(undefined)).to.not.equal(chooseRequestId(undefined));
  });
});

describe("the protocol of a request", () => {
  for (const [contentType, protocol] of [
    ["application/grpc", "grpc"],
    ["application/grpc+proto", "grpc"],
    ["application/grpc-web+proto", "grpc-web"],
    ["application/grpc-web-text", "grpc-web"],
    ["application/json", "connect"],
    ["application/connect+proto", "connect"],
    [undefined, "connect"],
  ] as const) {
    it(`is ${protocol} for ${contentType}`, () => expect(detectRpcProtocol(contentType)).to.equal(protocol));
  }
});
