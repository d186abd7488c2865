import { expect } from "chai";
import fc from "fast-check";
import { readRetryAfterMs } from "../../../src/providers/http/retry-after.ts";

const NOW_MS = Date.parse("Fri, 20 Nov 2026 10:00:00 GMT");
const HOUR_MS = 3_600_000;

describe("readRetryAfterMs", () => {
  const cases: readonly [Record<string, string | string[]>, number | undefined][] = [
    [{}, undefined],
    [{ "retry-after": "2" }, 2_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": " 1.5 " }, 1_500],
    [{ "retry-after": ["3", "4"] }, 3_000],
    [{ "retry-after": "999999999" }, HOUR_MS],
    [{ "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT" }, 30_000],
    [{ "retry-after": "Friday, 20-Nov-26 10:00:30 GMT" }, 30_000],
    [{ "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT" }, 0],
    [{ "retry-after": "Fri, 20 Nov 2099 09:00:00 GMT" }, HOUR_MS],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "2026" }, 2_026_000],
    [{ "retry-after": "Fri, nonsense of some length" }, undefined],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
    [{ "retry-after-ms": "x", "retry-after": "9" }, 9_000],
    [{ "x-ms-retry-after-ms": "750" }, 750],
  ];
  for (const [headers, wanted] of cases) {
    it(`reads ${JSON.stringify(headers)} as ${wanted}`, () => {
      expect(readRetryAfterMs(headers, NOW_MS)).to.equal(wanted);
    });
  }

  it("stays between 0 and an hour whatever a server sends", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (ms, after) => {
        const read = readRetryAfterMs({ "retry-after-ms": ms, "retry-after": after }, NOW_MS);
        if (read !== undefined) expect(read).to.be.within(0, HOUR_MS);
      }),
    );
  });
});
