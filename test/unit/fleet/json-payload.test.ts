import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import fc from "fast-check";
import {
  AlertKind,
  AlertSchema,
  HealthMessageSchema,
  SnapshotSchema,
} from "../../../gen/sluice/v1/events_pb.ts";
import { fromJsonPayload, toJsonPayload } from "../../../src/fleet/json-payload.ts";

const ALERT = "sluice.v1.Alert";
const text = (value: string) => new TextEncoder().encode(value);

describe("messages as JSON", () => {
  it("are readable, and turn back into the same", () => {
    const alert = create(AlertSchema, { replicaId: "r1", kind: AlertKind.LATENCY, value: 1.5 });
    const json = toJsonPayload(ALERT, toBinary(AlertSchema, alert)) ?? new Uint8Array();
    expect(JSON.parse(new TextDecoder().decode(json))).to.deep.equal({
      replicaId: "r1",
      kind: "ALERT_KIND_LATENCY",
      value: 1.5,
    });
    expect(fromBinary(AlertSchema, fromJsonPayload(ALERT, json) ?? new Uint8Array())).to.deep.equal(alert);
  });

  it("keep 64 bits whole", () => {
    const message = create(HealthMessageSchema, { header: { incarnation: 2n ** 63n + 1n } });
    const json = toJsonPayload("sluice.v1.HealthMessage", toBinary(HealthMessageSchema, message));
    const back = fromJsonPayload("sluice.v1.HealthMessage", json ?? new Uint8Array());
    expect(fromBinary(HealthMessageSchema, back ?? new Uint8Array()).header?.incarnation).to.equal(
      2n ** 63n + 1n,
    );
  });

  it("leave out what a newer version says", () => {
    const back = fromJsonPayload(
      ALERT,
      text('{"replicaId":"r1","novelty":{"a":1},"kind":"ALERT_KIND_NOVEL"}'),
    );
    expect(fromBinary(AlertSchema, back ?? new Uint8Array()).replicaId).to.equal("r1");
  });

  it("are undefined for other types, for what is no such message, and above their size", () => {
    expect(toJsonPayload("sluice.v1.Nothing", new Uint8Array())).to.equal(undefined);
    expect(toJsonPayload(ALERT, text("\xff\xff"))).to.equal(undefined);
    for (const json of ["", "[]", "nonsense", '{"value":"x"}', "\0"]) {
      expect(fromJsonPayload(ALERT, text(json)), json).to.equal(undefined);
    }
    expect(fromJsonPayload("toString", text("{}"))).to.equal(undefined);
    expect(fromJsonPayload(ALERT, text(`{"replicaId":"${"a".repeat(128 * 1024)}"}`))).to.equal(undefined);
  });

  it("take a snapshot of many deployments", () => {
    const deployments = Array.from({ length: 2_000 }, (_, index) => ({
      deployment: `provider/model-${index}`,
      fineBuckets: [{ index: 1, startedCount: 1, okCount: 1 }],
    }));
    const bytes = toBinary(SnapshotSchema, create(SnapshotSchema, { report: { deployments } }));
    const json = toJsonPayload("sluice.v1.Snapshot", bytes) ?? new Uint8Array();
    expect(json.length).to.be.above(128 * 1024);
    expect(fromJsonPayload("sluice.v1.Snapshot", json)).to.deep.equal(bytes);
  });

  it("never throw, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        toJsonPayload(ALERT, bytes);
        fromJsonPayload(ALERT, bytes);
      }),
    );
  });
});
