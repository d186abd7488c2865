import { expect } from "chai";
import fc from "fast-check";
import { readQuotaHeaders } from "../../../src/providers/http/quota-headers.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

const openAi = (what: string, limit: string, remaining: string, reset: string) => ({
  [`x-ratelimit-limit-${what}`]: limit,
  [`x-ratelimit-remaining-${what}`]: remaining,
  [`x-ratelimit-reset-${what}`]: reset,
});
const anthropic = (what: string, limit: string, remaining: string, reset: string) => ({
  [`anthropic-ratelimit-${what}-limit`]: limit,
  [`anthropic-ratelimit-${what}-remaining`]: remaining,
  [`anthropic-ratelimit-${what}-reset`]: reset,
});

describe("rate-limit headers", () => {
  const resets: readonly [string, number][] = [
    ["12ms", 12],
    ["1s", 1_000],
    ["1m30s", 90_000],
    ["6m0s", 360_000],
    ["1h2m3.5s", 3_723_500],
    ["0s", 0],
    ["30", 30_000],
    [String(NOW_MS / 1_000 + 5), 5_000],
    [String(NOW_MS + 700), 700],
    ["2026-01-01T00:01:00Z", 60_000],
    ["2025-12-31T23:00:00Z", 0],
  ];
  for (const [text, resetMs] of resets) {
    it(`take a reset of ${text} for ${resetMs} ms`, () => {
      const read = readQuotaHeaders(openAi("requests", "60", "59", text), NOW_MS);
      expect(read).to.deep.equal({ requests: { limit: 60, remaining: 59, resetMs } });
    });
  }

  it("of OpenAI tell of requests and tokens", () => {
    const headers = { ...openAi("requests", "60", "59", "1s"), ...openAi("tokens", "1000", "10", "6m0s") };
    expect(readQuotaHeaders(headers, NOW_MS)).to.deep.equal({
      requests: { limit: 60, remaining: 59, resetMs: 1_000 },
      tokens: { limit: 1_000, remaining: 10, resetMs: 360_000 },
    });
  });

  it("of Anthropic tell of the tighter of input and output where they tell of no tokens together", () => {
    const reset = "2026-01-01T00:01:00Z";
    const parts = {
      ...anthropic("input-tokens", "1000", "900", reset),
      ...anthropic("output-tokens", "100", "10", reset),
    };
    expect(readQuotaHeaders(parts, NOW_MS)?.tokens).to.deep.include({ limit: 100, remaining: 10 });
    const whole = { ...parts, ...anthropic("tokens", "1100", "910", reset) };
    expect(readQuotaHeaders(whole, NOW_MS)?.tokens).to.deep.include({ limit: 1_100 });
  });

  it("of OpenRouter tell of requests", () => {
    const headers = {
      "x-ratelimit-limit": "20",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(NOW_MS + 10_000),
    };
    expect(readQuotaHeaders(headers, NOW_MS)).to.deep.equal({
      requests: { limit: 20, remaining: 0, resetMs: 10_000 },
    });
  });

  it("that are missing or make no sense tell nothing, as Azure's do", () => {
    const nothing = [
      {},
      { "x-ratelimit-remaining-requests": "5" },
      openAi("requests", "-1", "-1", "1s"),
      openAi("requests", "0", "0", "1s"),
      openAi("requests", "5", "6", "1s"),
      openAi("requests", "5", "4", "soon"),
      openAi("requests", "5", "4", ""),
      openAi("requests", "", "4", "1s"),
    ];
    for (const headers of nothing) expect(readQuotaHeaders(headers, NOW_MS)).to.equal(undefined);
  });

  it("never give anything but figures in their ranges", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (limit, remaining, reset) => {
        const read = readQuotaHeaders(openAi("tokens", limit, remaining, reset), NOW_MS)?.tokens;
        if (read === undefined) return;
        expect(read.limit).to.be.greaterThan(0);
        expect(read.remaining).to.be.within(0, read.limit);
        expect(read.resetMs).to.be.at.least(0);
      }),
    );
  });
});
