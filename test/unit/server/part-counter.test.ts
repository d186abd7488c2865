import { create, type JsonValue, toBinary, toJsonString } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import fc from "fast-check";
import { Role } from "../../../gen/sluice/v1/generation_pb.ts";
import { GenerateRequestSchema } from "../../../gen/sluice/v1/router_service_pb.ts";
import { JsonParts, MAX_PARTS, type PartCounter } from "../../../src/server/edge/part-counter.ts";
import { BinaryParts } from "../../../src/server/rpc/binary-parts.ts";

const cuts = fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 20 });

/** Feeds bytes in pieces of the given lengths; whether all were accepted. */
function feed(counter: PartCounter, bytes: Uint8Array, pieces: readonly number[]): boolean {
  let start = 0;
  for (const length of [...pieces, bytes.length]) {
    if (!counter.accept(bytes.subarray(start, start + length))) return false;
    start += length;
  }
  return true;
}

/** A request with so many fields: the spec, a target (two), and messages of two fields or none. */
function makeRequest(fieldCount: number, fullCount: number) {
  const full = Array.from({ length: fullCount }, () => ({ name: "some,{body" }));
  const empty = Array.from({ length: fieldCount - 3 - 2 * fullCount }, () => ({}));
  const spec = {
    target: { kind: { case: "model" as const, value: "glm-4.6" } },
    messages: [...full, ...empty],
  };
  return create(GenerateRequestSchema, { spec });
}

describe("the parts of a request", () => {
  it("are counted in protobuf to the field, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1), fc.nat(1_000), cuts, (excess, fullCount, pieces) => {
        const bytes = toBinary(GenerateRequestSchema, makeRequest(MAX_PARTS + excess, fullCount));
        expect(feed(new BinaryParts(GenerateRequestSchema), bytes, pieces)).to.equal(excess === 0);
      }),
      { numRuns: 20 },
    );
  });

  it("are counted in protobuf inside of messages of their own kind and of maps", () => {
    const deep = (depth: number): JsonValue => (depth === 0 ? {} : { a: deep(depth - 1) });
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index}`, deep(20)]));
    const bytes = toBinary(StructSchema, create(StructSchema, toStruct(wide)));
    // Each name takes an entry, its key, its value, and the kind of that.
    const copies = (count: number) => Buffer.concat(Array.from({ length: count }, () => bytes));
    const partCount = 200 * (4 * 21);
    expect(new BinaryParts(StructSchema).accept(copies(Math.floor(MAX_PARTS / partCount)))).to.equal(true);
    expect(new BinaryParts(StructSchema).accept(copies(Math.ceil(MAX_PARTS / partCount)))).to.equal(false);
  });

  it("are not told from any bytes, and no bytes are an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(new BinaryParts(GenerateRequestSchema).accept(bytes)).to.equal(true);
        expect(new JsonParts().accept(bytes)).to.equal(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are counted in JSON outside of texts, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1), fc.string(), cuts, (excess, text, pieces) => {
        // An opening, and a comma between each two.
        const values = Array.from({ length: MAX_PARTS + excess }, (_, index) =>
          index % 2 ? `{[,"\\${text}` : 1,
        );
        expect(feed(new JsonParts(), Buffer.from(JSON.stringify(values)), pieces)).to.equal(excess === 0);
      }),
      { numRuns: 20 },
    );
  });

  it("are some thousands in the largest conversation that is taken", () => {
    const text = { part: { case: "text" as const, value: "x" } };
    const messages = Array.from({ length: 1_000 }, () => ({ role: Role.USER, parts: [text, text] }));
    const request = create(GenerateRequestSchema, { spec: { messages } });
    const counter = new BinaryParts(GenerateRequestSchema);
    expect(counter.accept(toBinary(GenerateRequestSchema, request))).to.equal(true);
    expect(new JsonParts().accept(Buffer.from(toJsonString(GenerateRequestSchema, request)))).to.equal(true);
  });
});

function toStruct(value: { readonly [name: string]: JsonValue }) {
  const convert = (inner: JsonValue): object => ({
    kind: { case: "structValue", value: toStruct(inner as Record<string, JsonValue>) },
  });
  return { fields: Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convert(inner)])) };
}
