import { expect } from "chai";
import { JsonMessage } from "../../../src/bus/json-message.ts";

describe("a message that came as JSON", () => {
  const json = new Uint8Array([1, 2, 3]);
  const came = { subject: "s", type: "t", payload: json, traceparent: "00-a-b-01" };

  it("is parsed when its payload is asked for, once", () => {
    const parsed: unknown[] = [];
    const fromJson = (type: string, payload: Uint8Array) => {
      parsed.push([type, payload]);
      return new Uint8Array([4]);
    };
    const message = new JsonMessage(came, { fromJson, toJson: () => undefined });
    expect({ ...message }).to.deep.equal({
      ...{ subject: "s", type: "t", traceparent: "00-a-b-01" },
      wireBytes: 3,
    });
    expect(parsed).to.deep.equal([]);
    expect([message.payload, message.payload]).to.deep.equal([new Uint8Array([4]), new Uint8Array([4])]);
    expect(parsed).to.deep.equal([["t", json]]);
  });

  it("is empty when it cannot be read", () => {
    const message = new JsonMessage(came, { fromJson: () => undefined, toJson: () => undefined });
    expect(message.payload.length).to.equal(0);
  });
});
