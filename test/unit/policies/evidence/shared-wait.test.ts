import { expect } from "chai";
import fc from "fast-check";
import { SharedRegister } from "../../../../src/core/evidence/shared-register.ts";
import { SharedWait } from "../../../../src/policies/evidence/deployment-registers.ts";

const HIGHEST_EPOCH = 2 ** 32 - 1;
const LIE = { epoch: HIGHEST_EPOCH, value: 3_600_000, replicaId: "liar" };

describe("a register that was written at the highest epoch there is", () => {
  it("keeps nothing out of use for longer than 5 s in a minute", () => {
    const wait = new SharedWait("own");
    let heldMs = 0;
    for (let nowMs = 1_000; nowMs < 121_000; nowMs += 250) {
      wait.join(nowMs, { register: { ...LIE, value: LIE.value + nowMs }, remainingMs: 3_600_000 }, 0);
      if (wait.heededUntilMs > nowMs) heldMs += 250;
    }
    expect(heldMs).to.equal(10_000);
  });

  it("does not take back a wait that was imposed here, and one that is imposed after it travels on", () => {
    const [own, other] = [new SharedWait("own"), new SharedWait("other")];
    const register = { epoch: HIGHEST_EPOCH, value: Number.MAX_SAFE_INTEGER, replicaId: "zzz" };
    for (const wait of [own, other]) wait.join(1_000, { register, remainingMs: 1 }, 0);
    own.impose(2_000, 22_000);
    const told = own.toValue(2_000);
    if (told === undefined) throw new Error("there is no value");
    other.join(61_001, told, 0);
    other.join(61_002, { register, remainingMs: 1 }, 0);
    expect(other.toValue(61_002)?.register).to.deep.equal(told.register);
    expect(other.heededUntilMs).to.equal(66_001);
  });

  it("takes back what was imposed here three times at once, and once a minute after that", () => {
    const wait = new SharedWait("own");
    let takenBackCount = 0;
    for (let nowMs = 1_000; nowMs < 301_000; nowMs += 1_000) {
      const untilMs = nowMs + 900_000;
      wait.impose(nowMs, untilMs);
      const register = { epoch: (wait.toValue(nowMs)?.register.epoch ?? 0) + 1, value: 0, replicaId: "liar" };
      if (wait.join(nowMs, { register, remainingMs: 0 }, untilMs)) takenBackCount += 1;
    }
    expect(takenBackCount).to.equal(3 + 4);
  });

  it("is refused above what can be written", () => {
    const register = new SharedRegister<number>("own");
    expect(register.join({ ...LIE, epoch: HIGHEST_EPOCH + 1 }, () => 1)).to.equal(false);
    expect(register.held).to.equal(undefined);
  });

  it("ends in the same state everywhere, whatever the order, local writings too (property)", () => {
    const write = fc.record({
      epoch: fc.constantFrom(0, 1, 2, HIGHEST_EPOCH - 1, HIGHEST_EPOCH),
      value: fc.nat(3),
      replicaId: fc.constantFrom("a", "b", "liar"),
    });
    fc.assert(
      fc.property(
        fc.array(write, { minLength: 1, maxLength: 8 }),
        fc.nat(3),
        fc.nat(),
        (writes, value, seed) => {
          const [one, two] = [new SharedRegister<number>("one"), new SharedRegister<number>("two")];
          const rotated = writes.map((_, place) => writes[(place + seed) % writes.length]);
          for (const each of writes) one.join(each, () => each.value);
          one.write(value, value);
          for (const each of rotated) if (each !== undefined) two.join(each, () => each.value);
          const [ofOne, ofTwo] = [one.held?.register, two.held?.register];
          if (ofOne === undefined || ofTwo === undefined) throw new Error("nothing is held");
          two.join(ofOne, () => ofOne.value);
          one.join(ofTwo, () => ofTwo.value);
          expect(one.held?.register).to.deep.equal(two.held?.register);
          expect(one.held?.register.epoch).to.be.at.most(HIGHEST_EPOCH);
        },
      ),
    );
  });
});
