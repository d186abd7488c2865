import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { compressions, inflateUnder } from "../../../src/server/connect/compressions.ts";

const LARGE_BYTES = 8 * 1024 * 1024;

describe("messages that are inflated", () => {
  it("are counted one after the other, so that many at once cannot grow before any is counted", async () => {
    const gzip = compressions.find(({ name }) => name === "gzip");
    if (gzip === undefined) throw new Error("no gzip");
    const heldBytes: number[] = [];
    const terms = {
      makeTooLargeError: () => new Error("too large"),
      hold: (bytes: number) => {
        heldBytes.push(bytes);
      },
    };
    const inflate = (bytes: number) =>
      inflateUnder(terms, () => gzip.decompress(gzipSync(Buffer.alloc(bytes)), LARGE_BYTES));
    // Alone, the small ones would be there long before the large one.
    await Promise.all([inflate(LARGE_BYTES), inflate(1), inflate(2)]);
    expect(heldBytes).to.deep.equal([LARGE_BYTES, 1, 2]);
  });

  it("do not keep the next from being inflated when one is refused", async () => {
    const gzip = compressions.find(({ name }) => name === "gzip");
    if (gzip === undefined) throw new Error("no gzip");
    const terms = { makeTooLargeError: () => new Error("too large"), hold: () => {} };
    const inflate = (bytes: number, maxBytes: number) =>
      inflateUnder(terms, () => gzip.decompress(gzipSync(Buffer.alloc(bytes)), maxBytes));
    const [refused, next] = await Promise.allSettled([inflate(100, 10), inflate(5, 10)]);
    expect(refused.status).to.equal("rejected");
    expect(next.status === "fulfilled" && next.value.byteLength).to.equal(5);
  });
});
