import { expect } from "chai";
import { AddressResets } from "../../../src/server/edge/address-resets.ts";

const LIMITS = { addressResetBurstCount: 3, addressResetsPerSecond: 1 };

describe("cancelled streams by address", () => {
  it("are counted over all connections of an address, and allowed again with time", () => {
    const resets = new AddressResets(LIMITS);
    expect([1, 2, 3, 4].map(() => resets.take("10.0.0.1", 0))).to.deep.equal([true, true, true, false]);
    expect(resets.take("::ffff:10.0.0.1", 0)).to.equal(false);
    expect(resets.take("10.0.0.2", 0)).to.equal(true);
    expect(resets.take("10.0.0.1", 1_000)).to.equal(true);
  });

  it("are forgotten of the address that was quiet for longest, when there are too many", () => {
    const resets = new AddressResets(LIMITS);
    for (let each = 0; each < 4; each++) resets.take("10.0.0.1", 0);
    const name = (index: number) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    for (let index = 100; index < 10_099; index++) resets.take(name(index), 0);
    expect(resets.take("10.0.0.1", 0)).to.equal(false);
    for (let index = 20_000; index < 30_000; index++) resets.take(name(index), 0);
    expect(resets.take("10.0.0.1", 0)).to.equal(true);
  });
});
