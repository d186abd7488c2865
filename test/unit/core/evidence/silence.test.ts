import { expect } from "chai";
import { completeSilence, type EvidenceKind } from "../../../../src/core/evidence/outcome-door.ts";
import { SuccessPosterior } from "../../../../src/core/evidence/success-posterior.ts";
import { computeSuspectAgeMs } from "../../../../src/core/evidence/suspect-age.ts";
import { TripSeries } from "../../../../src/core/evidence/trip-statistic.ts";

describe("the age from which on silence is evidence", () => {
  const rows: [number, number, number, number][] = [
    [100, 0.3, 0, 1_000],
    [1_000, 0.5, 0, 3_206],
    [1_000, 0.5, 300, 3_506],
    [20_000, 0.2, 0, 31_872],
  ];
  for (const [medianMs, logDeviation, promptMs, ageMs] of rows) {
    it(`is ${ageMs} ms for a median of ${medianMs} ms, a deviation of ${logDeviation} and ${promptMs} ms of prompt`, () => {
      const found = computeSuspectAgeMs(Math.log(medianMs), logDeviation, promptMs);
      expect(Math.round(found)).to.equal(ageMs);
    });
  }
});

describe("an attempt whose silence has counted", () => {
  const rows: [EvidenceKind, EvidenceKind][] = [
    ["hard", "weak"],
    ["weak", "none"],
    ["ok", "ok"],
    ["limited", "limited"],
    ["none", "none"],
  ];
  for (const [kind, added] of rows) {
    it(`adds ${added} when it ends as ${kind}`, () => {
      expect(completeSilence(kind)).to.equal(added);
    });
  }

  it("weighs as much as one failure when it fails, and as one success when it is answered", () => {
    const [silent, plain] = [new TripSeries(), new TripSeries()];
    silent.record(0, "weak");
    silent.record(500, completeSilence("hard"));
    plain.record(500, "hard");
    expect(silent.statistic(500)).to.be.closeTo(plain.statistic(500), 0.05);
    const [answered, ok] = [new TripSeries(), new TripSeries()];
    for (const series of [answered, ok]) for (const nowMs of [0, 1]) series.record(nowMs, "hard");
    answered.record(2, "weak");
    answered.retract(3, "weak");
    for (const series of [answered, ok]) series.record(3, "ok");
    expect(answered.statistic(3)).to.be.closeTo(ok.statistic(3), 1e-9);
    const [late, whole] = [new SuccessPosterior(), new SuccessPosterior()];
    late.record(0, "weak");
    late.answerLate(0);
    whole.record(0, "ok");
    expect(late.mean(0)).to.be.closeTo(whole.mean(0), 1e-12);
  });
});
