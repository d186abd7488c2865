import { expect } from "chai";
import fc from "fast-check";
import { parseOptions } from "../../../bench/side-by-side/options.ts";

function readOptions(...args: string[]) {
  const parsed = parseOptions(args);
  if (parsed.kind !== "options") throw new Error(`${args.join(" ")} gave ${JSON.stringify(parsed)}`);
  return parsed.options;
}

describe("benchmark options", () => {
  it("measures everything three times by default, and once with --quick", () => {
    expect(readOptions()).to.include({ quick: false, repeatCount: 3, write: false });
    expect(readOptions().measures).to.deep.equal([
      "unary",
      "latency",
      "stream",
      "paced500",
      "paced1000",
      "startup",
    ]);
    expect(readOptions("--quick").repeatCount).to.equal(1);
    expect(readOptions("--quick", "--repeat", "2").repeatCount).to.equal(2);
  });

  it("takes lists in any order, and paced for both paced measures", () => {
    expect(readOptions("--only", "paced,unary").measures).to.deep.equal(["unary", "paced500", "paced1000"]);
    expect(readOptions("--contestants", "sluice,direct").contestants).to.deep.equal(["direct", "sluice"]);
  });

  for (const [args, named] of [
    [["--only", "unary,speed"], "speed"],
    [["--contestants", "nginx"], "nginx"],
    [["--repeat", "0"], "--repeat"],
    [["--repeat", "1.5"], "--repeat"],
    [["--fast"], "--fast"],
  ] as const) {
    it(`refuses ${args.join(" ")} and names what is wrong`, () => {
      const parsed = parseOptions(args);
      expect(parsed.kind === "wrong" ? parsed.problem : parsed.kind).to.contain(named);
    });
  }

  it("never throws, whatever the words", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(parseOptions(words).kind).to.be.oneOf(["options", "help", "wrong"]);
      }),
    );
  });
});
