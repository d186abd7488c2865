import { expect } from "chai";
import type { AttemptRecord } from "../../../../src/domain/attempt.ts";
import type { Outcome } from "../../../../src/domain/outcome.ts";
import { EvidenceBench } from "./evidence-bench.ts";

/** An attempt of which a test tells the silence, and the end. */
function startSilent(bench: EvidenceBench) {
  const deployment = bench.deployment();
  const permit = bench.breaker().acquire();
  const size = { promptTokens: 0, expectedOutputTokens: 100 };
  const started = bench.table.recordStart(deployment, size);
  return {
    silent: (ageMs: number) => bench.table.recordSilence(deployment, started, ageMs, permit),
    end(outcome: Outcome, more: Partial<AttemptRecord> = {}) {
      const record: AttemptRecord = {
        ...{ attemptNumber: 1, deployment, outcome, totalMs: 10_000, purpose: "first", tier: "auto" },
        ...more,
      };
      bench.table.recordEnd(started, record, permit);
    },
  };
}

const NOTHING_KNOWN_MS = 3_206;

describe("the silence of an attempt", () => {
  it("is nothing before the suspect age: it is to be told again then", () => {
    const bench = new EvidenceBench(["p"]);
    const before = bench.health();
    const nextMs = startSilent(bench).silent(2_000);
    expect(nextMs).to.be.closeTo(NOTHING_KNOWN_MS, 1);
    expect(bench.health()).to.deep.equal(before);
  });

  it("counts once, however often it is told", () => {
    const [once, often] = [new EvidenceBench(["p"]), new EvidenceBench(["p"])];
    startSilent(once).silent(NOTHING_KNOWN_MS);
    const attempt = startSilent(often);
    attempt.silent(NOTHING_KNOWN_MS);
    expect(attempt.silent(60_000)).to.equal(Number.POSITIVE_INFINITY);
    expect(often.health()).to.deep.equal(once.health());
    expect(once.view().successMean).to.be.below(0.99);
  });

  it("opens the breaker of a measured deployment while the attempts still run: five are as much as three failures", () => {
    const bench = new EvidenceBench(["p"]);
    bench.run(60, "success", 0, 250);
    const attempts = Array.from({ length: 5 }, () => startSilent(bench));
    for (const [index, attempt] of attempts.entries()) {
      expect(bench.breaker().state, `after ${index}`).to.equal("closed");
      attempt.silent(8_000);
    }
    expect(bench.breaker().state).to.equal("open");
    expect(bench.view().inFlightCount).to.equal(5);
  });

  it("makes a slow deployment known as slow at once, so that few others are held against it", () => {
    const bench = new EvidenceBench(["p"]);
    const attempts = Array.from({ length: 20 }, () => startSilent(bench));
    const waitsMs = attempts.map((attempt) => attempt.silent(NOTHING_KNOWN_MS));
    expect(waitsMs.filter((waitMs) => waitMs === Number.POSITIVE_INFINITY)).to.have.lengthOf(1);
    expect(bench.breaker().state).to.equal("closed");
  });

  it("is half of a failure that comes after it", () => {
    const [silent, plain] = [new EvidenceBench(["p"]), new EvidenceBench(["p"])];
    const attempt = startSilent(silent);
    attempt.silent(60_000);
    attempt.end("timeout");
    startSilent(plain).end("timeout");
    expect(silent.view().successMean).to.be.closeTo(plain.view().successMean, 1e-9);
    const counters = (bench: EvidenceBench) => bench.table.report(bench.deployment()).series.fine[0]?.values;
    expect(counters(silent)?.slice(1, 4)).to.deep.equal([0, 0, 2]);
    expect(counters(plain)?.slice(1, 4)).to.deep.equal([0, 1, 0]);
  });

  it("is all that a hedged-away attempt adds", () => {
    const bench = new EvidenceBench(["p"]);
    const attempt = startSilent(bench);
    attempt.silent(60_000);
    const before = bench.health();
    attempt.end("superseded", { totalMs: 61_000 });
    expect(bench.health()).to.deep.equal(before);
  });

  it("is taken back by an answer", () => {
    const [late, plain] = [new EvidenceBench(["p"]), new EvidenceBench(["p"])];
    const answer = { timeToFirstTokenMs: 5_000, totalMs: 6_000 };
    const attempt = startSilent(late);
    attempt.silent(60_000);
    attempt.end("success", answer);
    startSilent(plain).end("success", answer);
    expect(late.view().successMean).to.be.closeTo(plain.view().successMean, 1e-9);
    for (let failure = 0; failure < 2; failure++) startSilent(late).end("server_error");
    expect(late.breaker().state).to.equal("closed");
  });

  it("says nothing while the breaker is not closed, nor of an attempt from before", () => {
    const bench = new EvidenceBench(["p"]);
    const old = startSilent(bench);
    bench.breaker().trip();
    expect(old.silent(60_000)).to.equal(Number.POSITIVE_INFINITY);
    bench.breaker().reset();
    const before = bench.health();
    expect(old.silent(60_000)).to.equal(Number.POSITIVE_INFINITY);
    expect(bench.health()).to.deep.equal(before);
  });

  it("confirms what another replica suspects when two attempts in a row have ended late, not before", () => {
    const [peer, bench] = [new EvidenceBench(["p"]), new EvidenceBench(["p"])];
    bench.clock.ms = peer.clock.ms;
    peer.run(3, "server_error", 0, 0);
    peer.tell(bench, "peer");
    expect(bench.view().suspect).to.equal(true);
    for (const state of ["closed", "open"] as const) {
      const attempt = startSilent(bench);
      attempt.silent(60_000);
      expect(bench.view()).to.include({ verifying: true, breakerState: "closed" });
      attempt.end("superseded");
      expect(bench.breaker().state).to.equal(state);
    }
  });
});
