import { expect } from "chai";
import fc from "fast-check";

import { parseAddress } from "../../../src/config/values/address.ts";
import { parseApiKey } from "../../../src/config/values/api-key.ts";
import { parseBaseUrl } from "../../../src/config/values/base-url.ts";
import { formatByteSize, parseByteSize } from "../../../src/config/values/byte-size.ts";
import { formatDuration, MAX_DURATION_MS, parseDuration } from "../../../src/config/values/duration.ts";
import type { Parsed } from "../../../src/config/values/parsed.ts";
import { parseUsdPrice } from "../../../src/config/values/usd-price.ts";
import { isLoopbackHost } from "../../../src/lib/loopback.ts";

/** The value, or what is wrong. */
function outcome<T>(parsed: Parsed<T>): T | string {
  return parsed.ok ? parsed.value : parsed.wrong;
}

describe("values of the configuration", () => {
  const durations: [string, number | string][] = [
    ["250ms", 250],
    ["30s", 30_000],
    ["1.1s", 1_100],
    ["2 m", 120_000],
    ["24h", MAX_DURATION_MS],
    ["0s", 0],
    ["30", "is a number without a unit"],
    ["1.5", "is a number without a unit"],
    ["1.5ms", "has a part of a millisecond"],
    ["25h", "is too long"],
    ["99999999999999999999h", "is too long"],
    ["-1s", "is not a duration"],
    ["1m30s", "is not a duration"],
    ["1S", "is not a duration"],
    ["", "is not a duration"],
  ];
  for (const [text, expected] of durations) {
    it(`reads the duration ${JSON.stringify(text)} as ${expected}`, () => {
      expect(outcome(parseDuration(text, 0, MAX_DURATION_MS))).to.equal(expected);
    });
  }

  it("refuses durations outside the field's limits", () => {
    expect(outcome(parseDuration("1ms", 2, 10))).to.equal("is too short");
    expect(outcome(parseDuration("11ms", 2, 10))).to.equal("is too long");
  });

  it("reads back every duration it writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (durationMs) => {
        expect(outcome(parseDuration(formatDuration(durationMs), 0, MAX_DURATION_MS))).to.equal(durationMs);
      }),
    );
  });

  const sizes: [string, number | string][] = [
    ["1024", 1_024],
    ["16MiB", 16 * 2 ** 20],
    ["16 KiB", 16_384],
    ["0.5KiB", 512],
    ["7B", 7],
    ["1GiB", 2 ** 30],
    ["1.5B", "has a part of a byte"],
    ["2GiB", "is too large"],
    ["16MB", "is not a size"],
    ["-1", "is not a size"],
    ["1e3", "is not a size"],
  ];
  for (const [text, expected] of sizes) {
    it(`reads the size ${JSON.stringify(text)} as ${expected}`, () => {
      expect(outcome(parseByteSize(text, 0, 2 ** 30))).to.equal(expected);
    });
  }

  it("reads back every size it writes", () => {
    const size = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 30 }),
      fc.integer({ min: 0, max: 1024 }).map((n) => n * 2 ** 20),
    );
    fc.assert(
      fc.property(size, (sizeBytes) => {
        expect(outcome(parseByteSize(formatByteSize(sizeBytes), 0, 2 ** 30))).to.equal(sizeBytes);
      }),
    );
  });

  const prices: [string, number | string][] = [
    ["0", 0],
    ["0.07", 70_000_000],
    ["2.2", 2_200_000_000],
    ["1.10", 1_100_000_000],
    ["0.000000001", 1],
    ["1e-9", 1],
    [".5", 500_000_000],
    ["1000000", 10 ** 15],
    ["999999.123456789", 999_999_123_456_789],
    ["0.1234567891", "has more than 9 decimals"],
    ["1e-9999", "has more than 9 decimals"],
    ["1000000.000000001", "is too high"],
    ["1e9999", "is too high"],
    ["-0.01", "is negative"],
    ["1,5", "is not a decimal number"],
    ["$1", "is not a decimal number"],
    ["", "is not a decimal number"],
    [".", "is not a decimal number"],
  ];
  for (const [text, expected] of prices) {
    it(`reads the price ${JSON.stringify(text)} as ${expected}`, () => {
      expect(outcome(parseUsdPrice(text))).to.equal(expected);
    });
  }

  it("keeps every price exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 15 }), (priceNanoUsd) => {
        const digits = String(priceNanoUsd).padStart(10, "0");
        const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`;
        expect(outcome(parseUsdPrice(text))).to.equal(priceNanoUsd);
        // A number in the file comes as the shortest text that means it.
        expect(outcome(parseUsdPrice(String(Number(text))))).to.equal(priceNanoUsd);
      }),
    );
  });

  const addresses: [string, object | string][] = [
    ["127.0.0.1:50051", { host: "127.0.0.1", port: 50_051 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:50051", { host: "::1", port: 50_051 }],
    ["sluice.example.com:65535", { host: "sluice.example.com", port: 65_535 }],
    ["127.0.0.1", "is not an address with a port"],
    ["::1", "has an IPv6 address without brackets or port"],
    ["::1:50051", "has an IPv6 address without brackets or port"],
    ["[localhost]:1", "has brackets around what is no IPv6 address"],
    ["127.0.0.1:65536", "has a port above 65535"],
    [":50051", "has no host"],
    ["127.0.0.999:1", "has a host that cannot be"],
    ["a b:1", "has a host that cannot be"],
    ["http://x:1", "has an IPv6 address without brackets or port"],
  ];
  for (const [text, expected] of addresses) {
    it(`reads the address ${JSON.stringify(text)} as ${JSON.stringify(expected)}`, () => {
      expect(outcome(parseAddress(text))).to.deep.equal(expected);
    });
  }

  it("knows which hosts are this machine", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "a.localhost"]) {
      expect(isLoopbackHost(host), host).to.equal(true);
    }
    for (const host of ["128.0.0.1", "0.0.0.0", "::", "localhost.example", "127.0.0.1.example"]) {
      expect(isLoopbackHost(host), host).to.equal(false);
    }
  });

  const urls: [string, string][] = [
    ["https://api.example.com/v1", "https://api.example.com/v1"],
    ["https://api.example.com/v1//", "https://api.example.com/v1"],
    ["http://[::1]:11434", "http://[::1]:11434"],
    ["HTTPS://API.example.com:443/V1", "https://api.example.com/V1"],
    ["ftp://x", "is neither http nor https"],
    ["api.example.com/v1", "is not a URL"],
    ["https:api.example.com", "lacks the two slashes"],
    ["https://user:secret@x/v1", "has credentials in it"],
    ["https://@x/v1", "has credentials in it"],
    ["https://x/v1?key=1", "has a query or a fragment"],
    ["https://x/v1?", "has a query or a fragment"],
    ["https://x/v1#", "has a query or a fragment"],
    ["https://x/v1/chat/completions", "ends in /chat/completions"],
    ["https://x/ v1", "has a space, line end or backslash in it"],
    ["", "is not a URL"],
  ];
  for (const [text, expected] of urls) {
    it(`reads the base URL ${JSON.stringify(text)} as ${expected}`, () => {
      expect(outcome(parseBaseUrl(text))).to.equal(expected);
    });
  }

  const keys: [string, string][] = [
    ["abc.def", "abc.def"],
    [" abc\n", "abc"],
    ["caf\u00e9", "caf\u00e9"],
    ["  \n", "is empty"],
    ["a\nb", "has a character that no header can carry"],
    ["a\u0085b", "has a character that no header can carry"],
    ["a\u20acb", "has a character that no header can carry"],
    ["a\u0000b", "has a character that no header can carry"],
    ["x".repeat(8_193), "is too long"],
  ];
  for (const [text, expected] of keys) {
    it(`reads the key ${JSON.stringify(text.slice(0, 20))} as ${JSON.stringify(expected)}`, () => {
      expect(outcome(parseApiKey(text))).to.equal(expected);
    });
  }
});
