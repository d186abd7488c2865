import { expect } from "chai";
import fc from "fast-check";
import { formatKeyFile, parseKeyFile } from "../../../src/auth/key-file.ts";
import type { KeyRecord } from "../../../src/auth/key-record.ts";
import { SCOPES } from "../../../src/domain/caller.ts";
import { makeKey } from "./make-key.ts";

const ID_DIGIT = fc.constantFrom(..."0123456789ABCXYZabcxyz");
const TIME = fc.integer({ min: 0, max: 4_000_000_000_000 });
const KEY: fc.Arbitrary<KeyRecord> = fc.record({
  id: fc.array(ID_DIGIT, { minLength: 11, maxLength: 11 }).map((digits) => digits.join("")),
  name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.@/-]{0,63}$/),
  scopes: fc.uniqueArray(fc.constantFrom(...SCOPES), { minLength: 1 }),
  secretHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  createdMs: TIME,
  expiresMs: fc.option(TIME, { nil: undefined }),
  revokedMs: fc.option(TIME, { nil: undefined }),
});

/** The text of a file with one good entry that `change` spoils. */
function spoil(change: (entry: Record<string, unknown>) => void): string {
  const root = JSON.parse(formatKeyFile([makeKey().key]));
  change(root.keys[0]);
  return JSON.stringify(root);
}

describe("the keys file", () => {
  it("reads back as it was written", () => {
    fc.assert(
      fc.property(fc.uniqueArray(KEY, { selector: ({ id }) => id, maxLength: 5 }), (keys) => {
        expect(parseKeyFile(formatKeyFile(keys))).to.deep.equal({ ok: true, keys });
      }),
    );
  });

  it("never holds a secret", () => {
    const { key, text } = makeKey();
    expect(formatKeyFile([key])).not.to.include(text.split("_")[2]);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["what is not JSON", "{", /is not JSON/],
    ["nothing", "", /is not JSON/],
    ["another kind of JSON", "[]", /JSON object/],
    ["another version", '{"version":2,"keys":[]}', /version 1/],
    ["no list", '{"version":1,"keys":{}}', /list named keys/],
    ["an unknown field beside the list", '{"version":1,"keys":[],"x":1}', /beside version and keys/],
    ["an entry that is no object", '{"version":1,"keys":[1]}', /keys\[0\] must be an object/],
    [
      "an unknown field of an entry",
      spoil((entry) => Object.assign(entry, { limit: 1 })),
      /none of id, name/,
    ],
    ["a bad id", spoil((entry) => Object.assign(entry, { id: "short" })), /keys\[0\]\.id/],
    ["a bad name", spoil((entry) => Object.assign(entry, { name: "a\nb" })), /keys\[0\]\.name/],
    ["no scopes", spoil((entry) => Object.assign(entry, { scopes: [] })), /keys\[0\]\.scopes/],
    ["an unknown scope", spoil((entry) => Object.assign(entry, { scopes: ["all"] })), /keys\[0\]\.scopes/],
    ["a short hash", spoil((entry) => Object.assign(entry, { secret_sha256: "00" })), /64 hexadecimal/],
    [
      "a time without a zone",
      spoil((entry) => Object.assign(entry, { created_at: "2030-01-31" })),
      /created_at/,
    ],
    [
      "a day that is none",
      spoil((e) => Object.assign(e, { expires_at: "2030-13-31T00:00:00Z" })),
      /expires_at/,
    ],
    ["a time that is a number", spoil((entry) => Object.assign(entry, { revoked_at: 1 })), /revoked_at/],
    [
      "the same id twice",
      (() => {
        const { key } = makeKey();
        return formatKeyFile([key, key]);
      })(),
      /keys\[1\]\.id is the id of an earlier key/,
    ],
  ];
  for (const [what, text, problem] of wrong) {
    it(`is refused whole for ${what}`, () => {
      const read = parseKeyFile(text);
      expect(read.ok).to.equal(false);
      expect(read.ok ? "" : read.problem).to.match(problem);
    });
  }

  it("never throws and never repeats the content, whatever it holds", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const marked = text.replaceAll("a", "canary");
        const read = parseKeyFile(marked);
        if (!read.ok) expect(read.problem).not.to.include("canary");
      }),
    );
  });
});
