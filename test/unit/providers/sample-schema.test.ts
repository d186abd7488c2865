import { expect } from "chai";
import fc from "fast-check";
import { sampleSchema } from "../../../src/providers/simulator/sample-schema.ts";

describe("sampleSchema", () => {
  const cases: readonly [unknown, unknown][] = [
    [{ type: "string" }, "simulated"],
    [{ type: "string", minLength: 12, maxLength: 12 }, "simulated..."],
    [{ type: "string", maxLength: 3 }, "sim"],
    [{ type: ["integer", "null"], exclusiveMinimum: 4 }, 5],
    [{ type: "number", minimum: 0.5, maximum: 0.75 }, 0.5],
    [{ type: "integer", maximum: -3 }, -3],
    [{ type: "boolean" }, true],
    [{ type: "null" }, null],
    [{ const: { a: 1 } }, { a: 1 }],
    [{ enum: ["x", "y"] }, "x"],
    [{ type: "array", items: { type: "boolean" } }, [true]],
    [{ anyOf: [{ type: "boolean" }, { type: "string" }] }, true],
    [{ properties: { a: {}, b: { type: "null" } } }, { a: "simulated", b: null }],
    [{ type: "object", properties: { a: {}, b: {} }, required: ["b"] }, { b: "simulated" }],
    [{ $ref: "#/$defs/n", $defs: { n: { type: "boolean" } } }, true],
    [{ $ref: "https://example.com/else" }, null],
    [true, null],
  ];
  for (const [schema, wanted] of cases) {
    it(`fits ${JSON.stringify(schema)}`, () => expect(sampleSchema(schema)).to.deep.equal(wanted));
  }

  it("ends for schemas that refer to themselves, however wide", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`p${index}`, { $ref: "#" }]),
    );
    expect(JSON.stringify(sampleSchema({ type: "object", properties })).length).to.be.below(100_000);
  });

  it("gives JSON for anything at all", () => {
    fc.assert(fc.property(fc.jsonValue(), (schema) => void JSON.parse(JSON.stringify(sampleSchema(schema)))));
  });
});
