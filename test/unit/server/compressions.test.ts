import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { compressions, inflateUnder } from "../../../src/server/connect/compressions.ts";

const LARGE_BYTES = 8 * 1024 * 1024;

describe("messages that are inflated", () => {
  it("are counted one after the other, so that many at once cannot grow before any is counted", async () => {
    const gzip = compressions.find(({ name }) => name === "gzip");
    if (gzip === undefined) throw new Error("no gzip");
    const heldBytes: number[] = [];
    const terms = {
      peer: "192.0.2.1:1",
      checkWanted: () => {},
      makeTooLargeError: () => new Error("too large"),
      hold: ({ byteLength }: Uint8Array) => {
        heldBytes.push(byteLength);
      },
    };
    const inflate = (bytes: number) =>
      inflateUnder(terms, () => gzip.decompress(gzipSync(Buffer.alloc(bytes)), LARGE_BYTES));
    // Alone, the later ones would be there long before the first one.
    await Promise.all([inflate(LARGE_BYTES), inflate(LARGE_BYTES / 16)]);
    await Promise.all([inflate(200_000), inflate(1), inflate(2)]);
    expect(heldBytes).to.deep.equal([LARGE_BYTES, LARGE_BYTES / 16, 200_000, 1, 2]);
  });

  it("do not keep the next from being inflated when one is refused", async () => {
    const gzip = compressions.find(({ name }) => name === "gzip");
    if (gzip === undefined) throw new Error("no gzip");
    const terms = {
      peer: "192.0.2.1:1",
      checkWanted: () => {},
      makeTooLargeError: () => new Error("too large"),
      hold: () => {},
    };
    const inflate = (bytes: number, maxBytes: number) =>
      inflateUnder(terms, () => gzip.decompress(gzipSync(Buffer.alloc(bytes)), maxBytes));
    const [refused, next] = await Promise.allSettled([inflate(100, 10), inflate(5, 10)]);
    expect(refused.status).to.equal("rejected");
    expect(next.status === "fulfilled" && next.value.byteLength).to.equal(5);
  });

  it("wait for none that turns out to be large", async () => {
    const brotli = compressions.find(({ name }) => name === "br");
    if (brotli === undefined) throw new Error("no brotli");
    const heldBytes: number[] = [];
    const terms = {
      peer: "192.0.2.1:1",
      checkWanted: () => {},
      makeTooLargeError: () => new Error("too large"),
      hold: ({ byteLength }: Uint8Array) => {
        heldBytes.push(byteLength);
      },
    };
    const [large, small] = [2 * 1024 * 1024, 1].map((bytes) => brotliCompressSync(Buffer.alloc(bytes)));
    const inflate = (bytes = Buffer.alloc(0)) =>
      inflateUnder(terms, () => brotli.decompress(bytes, LARGE_BYTES));
    await Promise.all([...Array.from({ length: 6 }, () => inflate(large)), inflate(small)]);
    expect(heldBytes).to.have.length(7);
    expect(heldBytes.at(-1)).to.not.equal(1);
  });

  it("are not inflated when their caller has left while they waited", async () => {
    const gzip = compressions.find(({ name }) => name === "gzip");
    if (gzip === undefined) throw new Error("no gzip");
    let isGone = false;
    let heldCount = 0;
    const terms = {
      peer: "192.0.2.1:1",
      checkWanted: () => {
        if (isGone) throw new Error("gone");
      },
      makeTooLargeError: () => new Error("too large"),
      hold: () => {
        heldCount++;
        isGone = true;
      },
    };
    const inflate = () =>
      inflateUnder(terms, () => gzip.decompress(gzipSync(Buffer.alloc(LARGE_BYTES)), LARGE_BYTES));
    const ends = await Promise.allSettled([inflate(), inflate(), inflate()]);
    expect(ends.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "rejected"]);
    expect(heldCount).to.equal(1);
  });
});
