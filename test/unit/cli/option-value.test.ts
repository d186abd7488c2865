import { expect } from "chai";
import fc from "fast-check";
import {
  parseCountOption,
  parseDurationOption,
  parseNumberOption,
  parseWordOption,
} from "../../../src/cli/option-value.ts";
import { parseServerAddress } from "../../../src/cli/server-address.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";

describe("values of options", () => {
  for (const [text, ms] of [
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["0.1ms", 1],
  ] as const) {
    it(`reads ${text} as ${ms} ms`, () => expect(parseDurationOption("timeout", text)).to.equal(ms));
  }

  for (const [name, parse, texts] of [
    ["a length of time", parseDurationOption, ["", "30", "s", "0s", "-1s", "1 s", "1d", "1e3s", "NaNs"]],
    ["a count", parseCountOption, ["", "0", "-1", "1.5", "2147483648", "1e3", "0x10"]],
    ["a number", parseNumberOption, ["", "x", "1e3", "Infinity", "NaN", ".", "0x1"]],
  ] as const) {
    for (const text of texts) {
      it(`refuses ${JSON.stringify(text)} as ${name} and names the option`, () => {
        expect(() => parse("option", text)).to.throw(UsageError, "--option");
      });
    }
  }

  it("never takes anything but what it understands", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseDurationOption, parseCountOption, parseNumberOption]) {
          try {
            expect(Number.isFinite(parse("x", text))).to.equal(true);
          } catch (error) {
            expect(error).to.be.instanceOf(UsageError);
          }
        }
      }),
    );
  });

  it("takes words with dashes and capitals, and names the near one", () => {
    const words = ["code_generation", "analysis"] as const;
    expect(parseWordOption("task", "Code-Generation", words)).to.equal("code_generation");
    expect(() => parseWordOption("task", "anlysis", words)).to.throw(UsageError, "Did you mean analysis?");
    expect(() => parseWordOption("task", "x", words)).to.throw(UsageError, "code_generation, analysis");
  });

  for (const [text, authority, isLoopback] of [
    ["127.0.0.1:50051", "127.0.0.1:50051", true],
    ["localhost:1", "localhost:1", true],
    ["[::1]:50051", "[::1]:50051", true],
    ["sluice.example.com:443", "sluice.example.com:443", false],
    ["http://10.0.0.1:80/", "10.0.0.1:80", false],
  ] as const) {
    it(`reads the address ${text}`, () => {
      expect(parseServerAddress(text, "--server")).to.deep.equal({
        authority,
        isLoopback,
        isTlsImplied: false,
      });
    });
  }

  it("takes https:// as a wish for TLS", () => {
    expect(parseServerAddress("https://a.example:443", "--server").isTlsImplied).to.equal(true);
  });

  for (const text of [
    "",
    "host",
    "host:",
    ":1",
    "host:0",
    "host:65536",
    "::1:50051",
    "a b:1",
    "dns:///x:1",
    "u@h:1",
  ]) {
    it(`refuses the address ${JSON.stringify(text)}`, () => {
      expect(() => parseServerAddress(text, "--server")).to.throw(UsageError, "HOST:PORT");
    });
  }
});
