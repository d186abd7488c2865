import { expect } from "chai";
import fc from "fast-check";
import {
  addFeedback,
  buildQualityTable,
  type QualityEvidence,
} from "../../../../src/core/choice/quality-table.ts";
import type { TaskType } from "../../../../src/domain/deployment.ts";
import { sampleModel } from "../../../support/sample-catalog.ts";

const DAY_MS = 24 * 3_600_000;

function feedbackFor(model: string, task: TaskType, evidence: QualityEvidence) {
  return new Map([[model, new Map([[task, evidence]])]]);
}

describe("the quality table", () => {
  it("rises with the operator's tier and with the figure for the task", () => {
    const models = [1, 2, 3, 4, 5].map((quality) => sampleModel(`tier${quality}`, { tiers: { quality } }));
    const column = buildQualityTable(models).columnOf("analysis");
    const means = models.map((model) => column.get(model.name) ?? 0);
    expect(means).to.deep.equal(means.toSorted((a, b) => a - b));
    expect(new Set(means).size).to.equal(5);
    const skilled = buildQualityTable([sampleModel("m", { taskSuitability: { analysis: 0.95 } })]);
    expect(skilled.columnOf("analysis").get("m")).to.be.above(skilled.columnOf("reasoning").get("m") ?? 1);
  });

  it("shrinks a task's figure half-way to the tier's mean, and takes an absent one for 0.5", () => {
    const table = buildQualityTable([
      sampleModel("m", { tiers: { quality: 3 }, taskSuitability: { analysis: 0.9 } }),
    ]);
    expect(table.columnOf("analysis").get("m")).to.be.closeTo((0.7 + 0.9) / 2, 1e-9);
    expect(table.columnOf("translation").get("m")).to.be.closeTo((0.7 + 0.5) / 2, 1e-9);
  });

  it("gives the mean over all tasks where the request has none", () => {
    const table = buildQualityTable([
      sampleModel("m", { tiers: { quality: 3 }, taskSuitability: { analysis: 0.9 } }),
    ]);
    expect(table.columnOf(undefined).get("m")).to.be.closeTo((11 * 0.6 + 0.8) / 12, 1e-9);
  });

  it("moves with feedback on that task and no other", () => {
    const model = sampleModel("m");
    let evidence: QualityEvidence | undefined;
    for (let index = 0; index < 40; index++) evidence = addFeedback(evidence, { score: 1, weight: 1 }, 0);
    if (evidence === undefined) return;
    const before = buildQualityTable([model]);
    const after = buildQualityTable([model], feedbackFor("m", "analysis", evidence), 0);
    expect(after.columnOf("analysis").get("m")).to.be.closeTo((24 + 40) / 80, 1e-9);
    expect(after.columnOf("reasoning").get("m")).to.equal(before.columnOf("reasoning").get("m"));
  });

  it("halves feedback in seven days and caps its mass at 200, so a change is always learnt", () => {
    let evidence = addFeedback(undefined, { score: 1, weight: 16 }, 0);
    evidence = addFeedback(evidence, { score: 0, weight: 4 }, 7 * DAY_MS);
    expect([evidence.goodMass, evidence.badMass]).to.deep.equal([8, 4]);
    for (let index = 0; index < 1_000; index++)
      evidence = addFeedback(evidence, { score: 1, weight: 1 }, 7 * DAY_MS);
    expect(evidence.goodMass + evidence.badMass).to.be.closeTo(200, 1e-6);
    for (let index = 0; index < 600; index++)
      evidence = addFeedback(evidence, { score: 0, weight: 1 }, 7 * DAY_MS);
    expect(evidence.badMass).to.be.above(180);
  });

  it("stays within 0 and 1 for any feedback", () => {
    const judgement = fc.record({
      score: fc.double({ min: -5, max: 5, noNaN: true }),
      weight: fc.double({ min: 0, max: 1e6, noNaN: true }),
      atMs: fc.nat(1e9),
    });
    fc.assert(
      fc.property(fc.array(judgement, { maxLength: 20 }), (judgements) => {
        let evidence: QualityEvidence = { goodMass: 0, badMass: 0, atMs: 0 };
        for (const { score, weight, atMs } of judgements)
          evidence = addFeedback(evidence, { score, weight }, atMs);
        const table = buildQualityTable([sampleModel("m")], feedbackFor("m", "analysis", evidence), 1e9);
        expect(table.columnOf("analysis").get("m")).to.be.within(0, 1);
      }),
    );
  });
});
