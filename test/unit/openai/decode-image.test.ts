import { Buffer } from "node:buffer";
import { expect } from "chai";
import fc from "fast-check";
import { decodeImage } from "../../../src/openai/decode-image.ts";
import { Faults } from "../../../src/openai/fault.ts";

function decode(image: unknown) {
  const faults = new Faults();
  const part = decodeImage(image, "image_url", faults);
  return { part, faults: faults.found.map(({ code, param }) => `${code} ${param}`) };
}

describe("decodeImage", () => {
  it("passes https addresses on as they are", () => {
    const url = "https://pictures.example/a%20b.png?x=1";
    expect(decode({ url, detail: "high" }).part).to.deep.equal({
      kind: "image",
      source: { kind: "url", url },
      detail: "high",
    });
    expect(decode({ url, detail: "auto" }).part).not.to.have.property("detail");
  });

  it("reads any bytes from a data URL, padded or not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.boolean(), (bytes, isPadded) => {
        const text = Buffer.from(bytes).toString("base64");
        const { part } = decode({
          url: `data:image/jpg;base64,${isPadded ? text : text.replace(/=+$/, "")}`,
        });
        expect(part).to.deep.equal({
          kind: "image",
          source: { kind: "data", data: Buffer.from(bytes), mediaType: "image/jpeg" },
        });
      }),
    );
  });

  it("takes 8 MiB and refuses a byte more", () => {
    const url = (byteCount: number) =>
      `data:image/png;base64,${Buffer.alloc(byteCount, 1).toString("base64")}`;
    expect(decode({ url: url(8 * 1024 * 1024) }).faults).to.deep.equal([]);
    expect(decode({ url: url(8 * 1024 * 1024 + 1) }).faults).to.deep.equal(["invalid_value image_url.url"]);
  });

  const refused: readonly [string, string][] = [
    ["plain http", "http://pictures.example/a.png"],
    ["a file", "file:///etc/hostname"],
    ["no address", "picture"],
    ["an address without host", "https://"],
    ["an address with a password", "https://ann:secret@x.example/a.png"],
    ["an address of 2,049 characters", `https://x.example/${"a".repeat(2_031)}`],
    ["a vector picture", "data:image/svg+xml;base64,PHN2Zy8+"],
    ["a data URL that is not base64", "data:image/png,abc"],
    ["a data URL without a comma", "data:image/png;base64"],
    ["no bytes", "data:image/png;base64,"],
    ["foreign characters", "data:image/png;base64,AAAA$AAA"],
    ["padding in the middle", "data:image/png;base64,AA==AAAA"],
    ["a digit too many", "data:image/png;base64,AAAAA"],
  ];
  for (const [title, url] of refused) {
    it(`refuses ${title}`, () => {
      expect(decode({ url }).faults).to.deep.equal(["invalid_value image_url.url"]);
    });
  }

  it("refuses an unknown detail, a missing address and an address in the wrong place", () => {
    expect(decode({ url: "https://x.example/", detail: "ultra" }).faults).to.deep.equal([
      "invalid_value image_url.detail",
    ]);
    expect(decode({}).faults).to.deep.equal(["missing_required_parameter image_url.url"]);
    expect(decode("https://x.example/").faults).to.deep.equal(["invalid_type image_url"]);
  });
});
