import { expect } from "chai";
import fc from "fast-check";
import { ConnectionCaps, groupAddress } from "../../../src/server/edge/connection-caps.ts";

describe("groupAddress", () => {
  for (const [address, group] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    [undefined, "unknown"],
  ] as const) {
    it(`counts ${address} as ${group}`, () => expect(groupAddress(address)).to.equal(group));
  }
});

describe("ConnectionCaps", () => {
  it("says which cap a connection would break", () => {
    const caps = new ConnectionCaps({ maxConnectionCount: 3, maxConnectionsPerAddressCount: 2 });
    expect([caps.take("a"), caps.take("a"), caps.take("a")]).to.deep.equal([undefined, undefined, "address"]);
    expect([caps.take("b"), caps.take("b")]).to.deep.equal([undefined, "total"]);
    caps.giveBack("a");
    expect(caps.take("a")).to.equal(undefined);
  });

  it("never lets more than the caps be open, whatever comes and goes, and ends at nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean())), (steps) => {
        const caps = new ConnectionCaps({ maxConnectionCount: 5, maxConnectionsPerAddressCount: 3 });
        const open: string[] = [];
        for (const [address, comes] of steps) {
          const index = open.indexOf(address);
          if (comes) {
            if (caps.take(address) === undefined) open.push(address);
          } else if (index >= 0) {
            open.splice(index, 1);
            caps.giveBack(address);
          }
          expect(caps.count).to.equal(open.length).and.to.be.at.most(5);
          expect(open.filter((each) => each === address).length).to.be.at.most(3);
        }
        for (const address of open) caps.giveBack(address);
        expect(caps.count).to.equal(0);
      }),
    );
  });
});
