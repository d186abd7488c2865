import { expect } from "chai";
import { FairTurns } from "../../../src/server/connect/fair-turns.ts";

describe("FairTurns", () => {
  it("lets those who wait take turns, one piece at a time", async () => {
    const turns = new FairTurns();
    const done: string[] = [];
    let running = 0;
    const bring = (who: string, piece: string) =>
      turns.take(who, async () => {
        running++;
        expect(running).to.equal(1);
        await Promise.resolve();
        running--;
        done.push(piece);
      });
    await Promise.all([...["a1", "a2", "a3", "a4"].map((piece) => bring("a", piece)), bring("b", "b1")]);
    expect(done).to.deep.equal(["a1", "a2", "b1", "a3", "a4"]);
    await bring("c", "c1");
    expect(done.at(-1)).to.equal("c1");
  });

  it("passes on what a piece throws, and goes on", async () => {
    const turns = new FairTurns();
    const ends = await Promise.allSettled([
      turns.take("a", () => Promise.reject(new Error("broken"))),
      turns.take("a", () => Promise.resolve("whole")),
    ]);
    expect(ends.map(({ status }) => status)).to.deep.equal(["rejected", "fulfilled"]);
  });
});
