import { expect } from "chai";
import { describeSharing } from "../../../src/fleet/describe-sharing.ts";

const peer = (ageMs: number) => ({
  ...{ replicaId: "r", version: "1", ageMs, uptimeMs: 0, draining: false, lostCount: 0 },
});

describe("the line on sharing", () => {
  it("tells who can be heard, and since when nobody was", () => {
    expect(describeSharing("connected", [peer(5_400), peer(1_240)], 1)).to.equal(
      "sharing: connected, 1 other replica live, last heard 1.2 s ago",
    );
    expect(describeSharing("refused", [peer(90_000)], 0)).to.equal(
      "sharing: cut off (refused), 0 other replicas live, last heard 90.0 s ago",
    );
    expect(describeSharing("connecting", [], 0)).to.equal(
      "sharing: cut off (connecting), 0 other replicas live, nothing heard yet",
    );
  });
});
