import { expect } from "chai";
import fc from "fast-check";
import { chooseAnswer, makeJudgeRequest, readVerdict } from "../../../src/core/judge.ts";
import { sampleRequest } from "../../support/sample-catalog.ts";

const answer = (text: string, costNanoUsd?: number) => ({ text, costNanoUsd });

describe("the judge of best-of-two", () => {
  for (const [swapped, order] of [
    [false, ["one", "two"]],
    [true, ["two", "one"]],
  ] as const) {
    it(`sees both answers and no model, in the order that chance drew (${order.join(", ")})`, () => {
      const request = makeJudgeRequest(sampleRequest(), [answer("one"), answer("two")], swapped);
      const part = request.messages[1]?.parts[0];
      const shown = JSON.parse(part?.kind === "text" ? part.text : "{}");
      expect(shown).to.deep.equal({ request: "user: Hello", answer_a: order[0], answer_b: order[1] });
      expect(request.sampling.temperature).to.equal(0);
    });
  }

  it("is shown at most a bounded part of very long texts", () => {
    const long = "x".repeat(1_000_000);
    const request = makeJudgeRequest(sampleRequest(), [answer(long), answer(long)], false);
    expect(JSON.stringify(request).length).to.be.below(60_000);
  });

  const rows = [
    ['{"winner": "A"}', "first"],
    ['```json\n{"winner":"B"}\n```', "second"],
    ['I think so. {"winner": "tie"}', "tie"],
    ['{"winner": "a"}', "first"],
    ["A", undefined],
    ["", undefined],
    ['{"winner": "A"} or {"winner": "B"}', undefined],
    ['{"winner": "C"}', undefined],
  ] as const;
  for (const [reply, want] of rows) {
    it(`is understood as ${want ?? "nothing"} when it says ${JSON.stringify(reply)}`, () => {
      expect(readVerdict(reply, false)).to.equal(want);
    });
  }

  it("means the same answer whichever way they were shown (property)", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), (swapped, better) => {
        const shownAs = better === swapped ? "B" : "A";
        expect(readVerdict(`{"winner":"${shownAs}"}`, swapped)).to.equal(better ? "first" : "second");
      }),
    );
  });

  const choices = [
    ["the winner", [answer("a", 1), answer("b", 9)], "second", [5, 1], 1],
    ["the cheaper of a tie", [answer("a", 9), answer("b", 1)], "tie", [5, 1], 1],
    ["the first of a tie at unknown cost", [answer("a"), answer("b", 1)], "tie", [1, 5], 0],
    ["the better model without a verdict", [answer("a", 1), answer("b", 9)], undefined, [1, 5], 1],
    [
      "the cheaper one without a verdict between equals",
      [answer("a", 9), answer("b", 1)],
      undefined,
      [3, 3],
      1,
    ],
  ] as const;
  for (const [name, answers, verdict, quality, want] of choices) {
    it(`lets ${name} win`, () => expect(chooseAnswer(answers, verdict, quality)).to.equal(want));
  }
});
