import { expect } from "chai";
import type { BusMessage } from "../../../src/domain/health-bus.ts";
import { decodeHealthMessage } from "../../../src/fleet/decode-health.ts";
import { encodeSnapshotRequest } from "../../../src/fleet/encode-health.ts";
import { FleetBench } from "../../support/fleet-bench.ts";

describe("the exchange of evidence", () => {
  let fleet: FleetBench;

  afterEach(() => fleet.close());

  it("makes what failed three times anywhere suspect everywhere at once, and opens no breaker but one", () => {
    fleet = new FleetBench({ replicaCount: 5, providers: ["p", "q"] });
    fleet.advance(1_000);
    for (let attempt = 0; attempt < 3; attempt++) fleet.replica(0).start()("server_error");
    fleet.advance(20);
    expect(fleet.replica(0).breakers[0]?.state).to.equal("open");
    for (const index of [1, 2, 3, 4]) {
      expect(fleet.replica(index).view()).to.include({ suspect: true, breaker: "closed" });
      expect(fleet.replica(index).view(1).suspect).to.equal(false);
    }
  });

  it("joins failures of different replicas: who saw one opens, who saw none suspects", () => {
    fleet = new FleetBench({ replicaCount: 4, providers: ["p"] });
    fleet.advance(1_000);
    for (const index of [0, 1, 2]) fleet.replica(index).start()("timeout");
    fleet.advance(20);
    expect(fleet.replica(3).view().suspect).to.equal(true);
    const states = fleet.replicas.map(({ breakers }) => breakers[0]?.state);
    expect(states).to.deep.equal(["open", "open", "open", "closed"]);
  });

  it("says that it is alive when nothing happens", () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    for (let second = 0; second < 60; second++) {
      fleet.advance(1_000);
      expect(fleet.replica(0).table.listLiveReplicas().toSorted()).to.deep.equal(["replica-1", "replica-2"]);
    }
  });

  it("holds what a peer holds open suspect when the failures are long past, also after a restart", async () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    fleet.advance(1_000);
    for (let attempt = 0; attempt < 3; attempt++) fleet.replica(0).start()("server_error");
    fleet.advance(130_000);
    const restarted = await fleet.restart(2);
    fleet.advance(300);
    expect(restarted.view().suspect).to.equal(true);
    expect(restarted.breakers[0]?.state).to.equal("closed");
  });

  it("waits for its turn, after a restart, to ask what most others hold open, but for a minute at most", async () => {
    fleet = new FleetBench({ replicaCount: 5, providers: ["p"] });
    fleet.advance(1_000);
    for (const index of [0, 1, 2]) {
      for (let attempt = 0; attempt < 3; attempt++) fleet.replica(index).start()("server_error");
    }
    const restarted = await fleet.restart(3);
    fleet.advance(300);
    expect(restarted.view()).to.include({ suspect: true, takesTurns: true, permitAvailable: false });
    expect(restarted.breakers[0]?.state).to.equal("closed");
    let waitedMs = 0;
    while (restarted.view().permitAvailable !== true) {
      fleet.advance(100);
      waitedMs += 100;
      expect(waitedMs).to.be.below(60_000);
    }
    expect(restarted.view().takesTurns).to.equal(true);
    restarted.start()("server_error");
    // It goes on where the others are, instead of asking every second.
    expect(restarted.breakers[0]?.state).to.equal("open");
  });

  it("asks at once what only a minority holds open, and in its turn what most of the others speak against", async () => {
    fleet = new FleetBench({ replicaCount: 5, providers: ["p"] });
    fleet.advance(1_000);
    fleet.replica(4).start()("success");
    for (const index of [0, 1]) {
      for (let attempt = 0; attempt < 3; attempt++) fleet.replica(index).start()("server_error");
    }
    const restarted = await fleet.restart(3);
    fleet.advance(300);
    expect(restarted.view()).to.include({ suspect: true, takesTurns: false, permitAvailable: true });
    for (let attempt = 0; attempt < 3; attempt++) fleet.replica(2).start()("server_error");
    fleet.advance(300);
    expect(restarted.view()).to.include({ suspect: true, takesTurns: true, permitAvailable: false });
    const answered = fleet.replica(4);
    expect(answered.view()).to.include({ suspect: true, takesTurns: true });
    let waitedMs = 0;
    while (answered.view().permitAvailable !== true) {
      fleet.advance(100);
      waitedMs += 100;
      expect(waitedMs).to.be.below(60_000);
    }
  });

  it("has joined soon after the first answer, and within a second where nobody answers", async () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    fleet.advance(2_000);
    const restarted = await fleet.restart(2);
    expect(restarted.exchange.hasJoined).to.equal(false);
    fleet.advance(270);
    expect([restarted.exchange.hasJoined, restarted.table.listLiveReplicas().length]).to.deep.equal([
      true,
      2,
    ]);
    await restarted.exchange.joined;
    fleet.close();
    fleet = new FleetBench({ replicaCount: 1, providers: ["p"] });
    const [alone] = fleet.replicas;
    fleet.advance(999);
    expect(alone?.exchange.hasJoined).to.equal(false);
    fleet.advance(1);
    expect(alone?.exchange.hasJoined).to.equal(true);
  });

  it("frees everybody when a probe has closed the breaker, and voids what was counted before", () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    fleet.advance(1_000);
    for (let attempt = 0; attempt < 3; attempt++) fleet.replica(0).start()("server_error");
    fleet.advance(20);
    expect(fleet.replica(1).view().suspect).to.equal(true);
    for (let second = 0; second < 60 && fleet.replica(0).breakers[0]?.state !== "closed"; second++) {
      fleet.advance(1_000);
      if (fleet.replica(0).isUsable()) fleet.replica(0).start()("success");
    }
    expect(fleet.replica(0).breakers[0]?.state).to.equal("closed");
    fleet.advance(500);
    expect(fleet.replica(1).view().suspect).to.equal(false);
  });

  it("tells of a 429: the others wait too, at most 5 s on another's word alone", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"] });
    fleet.advance(1_000);
    fleet.replica(0).start()("rate_limit", { retryAfterMs: 30_000 });
    fleet.advance(20);
    const nowMs = fleet.clock.nowMs();
    expect(fleet.replica(0).view().cooldownUntilMs - nowMs).to.be.closeTo(30_000, 50);
    expect(fleet.replica(1).view().cooldownUntilMs - nowMs).to.be.closeTo(5_000, 50);
  });

  it("looks at no more messages and questions of a flood than a replica may send", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"], played: [1] });
    fleet.advance(1_000);
    let readCount = 0;
    const makeMessage = (subject: string, type: string, wireBytes = 100): BusMessage => ({
      subject,
      type,
      wireBytes,
      get payload() {
        readCount += 1;
        return new Uint8Array();
      },
    });
    const { inbox } = fleet.replica(0).exchange;
    for (let message = 0; message < 1_000; message++)
      inbox.take(makeMessage("sluice.v1.health.replica-1", "sluice.v1.HealthMessage"));
    expect(readCount).to.equal(240);
    readCount = 0;
    const limits = { maxAnswers: 1, timeoutMs: 100 };
    for (let question = 0; question < 1_000; question++)
      fleet.buses[1]?.ask(makeMessage("sluice.v1.sync", "sluice.v1.SnapshotRequest"), limits, () => {});
    fleet.advance(20);
    expect(readCount).to.equal(60);
    // As JSON a message costs what it is long: 4 MiB at once, and 512 KiB more each second.
    readCount = 0;
    fleet.advance(60_000);
    for (let message = 0; message < 200; message++)
      inbox.take(makeMessage("sluice.v1.health.replica-1", "sluice.v1.HealthMessage", 93 * 1_024));
    expect(readCount).to.equal(44);
    fleet.advance(1_000);
    for (let message = 0; message < 200; message++)
      inbox.take(makeMessage("sluice.v1.health.replica-1", "sluice.v1.HealthMessage", 93 * 1_024));
    expect(readCount).to.equal(44 + 5);
    readCount = 0;
    inbox.takeQuestion(makeMessage("sluice.v1.sync", "sluice.v1.SnapshotRequest", 4_097));
    expect(readCount).to.equal(0);
    inbox.expectAnswers();
    for (let answer = 0; answer < 32; answer++)
      inbox.takeSnapshot(makeMessage("sluice.v1.sync", "sluice.v1.Snapshot", 1_024 * 1_024));
    expect(readCount).to.equal(4);
  });

  it("is heard by the others however many credentials are refused", () => {
    const providers = Array.from({ length: 100 }, (_, place) => `${place}-`.padEnd(64, "p"));
    fleet = new FleetBench({ replicaCount: 2, providers });
    fleet.advance(1_000);
    for (const place of providers.keys()) fleet.replica(0).start(place)("auth");
    fleet.advance(15_000);
    expect(fleet.replica(1).table.reportCredentials()).to.have.length(100);
    expect([...fleet.replica(1).exchange.inbox.refused]).to.deep.equal([]);
  });

  it("sends everything once a second at most, however often another replica asks", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"], played: [1] });
    let digestCount = 0;
    fleet.buses[1]?.subscribe("sluice.v1.health.*", ({ payload, subject }) => {
      const decoded = decodeHealthMessage(payload, subject.split(".").at(-1) ?? "");
      if ("message" in decoded && decoded.message.kind === "digest") digestCount += 1;
    });
    const payload = encodeSnapshotRequest({
      ...{ replicaId: "replica-1", incarnation: 1, sequence: 0, sentMs: 0 },
      ...{ version: "1", uptimeMs: 0, draining: false },
    });
    for (let tick = 0; tick < 600; tick++) {
      const question = { subject: "sluice.v1.sync", type: "sluice.v1.SnapshotRequest", payload };
      fleet.buses[1]?.ask(question, { maxAnswers: 1, timeoutMs: 10 }, () => {});
      fleet.advance(100);
    }
    expect(digestCount).to.be.within(40, 60);
  });

  it("is heard by the others while its breaker is open for a day", () => {
    const breaker = { kind: "counting", failureThreshold: 3, recoveryTimeMs: 86_400_000 } as const;
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"], breaker });
    fleet.advance(1_000);
    for (let attempt = 0; attempt < 3; attempt++) fleet.replica(0).start()("server_error");
    fleet.advance(20);
    expect(fleet.replica(0).breakers[0]?.state).to.equal("open");
    expect(fleet.replica(1).view().suspect).to.equal(true);
    expect([...fleet.replica(1).exchange.inbox.refused]).to.deep.equal([]);
  });

  it("is heard whatever a provider says of its limits", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p", "q"] });
    fleet.advance(1_000);
    const [teller, hearer] = [fleet.replica(0), fleet.replica(1)];
    const days = { limit: 60, remaining: 59, resetMs: 2 * 86_400_000 };
    const huge = { limit: 1e15, remaining: 1e15, resetMs: 1_000 };
    for (const deployment of teller.deployments) {
      teller.table.readHeaders(deployment, { requests: days });
      teller.table.readHeaders(deployment, { requests: huge, tokens: days });
    }
    for (let attempt = 0; attempt < 3; attempt++) teller.start()("server_error");
    fleet.advance(20);
    expect(hearer.view().suspect).to.equal(true);
    expect([...hearer.exchange.inbox.refused]).to.deep.equal([]);
  });

  it("is heard whatever a provider says that an answer took", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"] });
    fleet.advance(1_000);
    const [teller, hearer] = [fleet.replica(0), fleet.replica(1)];
    teller.start()("success", { usage: { inputTokens: 9e15, outputTokens: 5 } });
    for (let attempt = 0; attempt < 4; attempt++) teller.start()("server_error");
    fleet.advance(12_000);
    expect([...hearer.exchange.inbox.refused]).to.deep.equal([]);
    expect(hearer.view().suspect).to.equal(true);
  });

  it("sends little to a provider that refuses, however often another replica says that it does no more", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"], played: [1] });
    const { deployments } = fleet.replica(0);
    const [deploymentId = ""] = deployments.map(({ id }) => id);
    const count = (outcome: "rate_limit" | "auth") => {
      let callCount = 0;
      for (let tick = 0; tick < 600; tick++) {
        fleet.advance(100);
        if (fleet.replica(0).isUsable()) {
          callCount += 1;
          fleet.replica(0).start()(outcome, { retryAfterMs: 600_000 });
        }
        const disabled = {
          register: { epoch: 10 + fleet.clock.nowMs() * 2, value: 0, replicaId: "replica-1" },
          remainingMs: 0,
        };
        fleet.replica(0).table.mergeRegisters(deploymentId, { cooldown: disabled });
        fleet.replica(0).table.mergeCredential({ provider: "p", disabled });
      }
      return callCount;
    };
    expect(count("rate_limit")).to.be.at.most(5);
    fleet.replica(0).table.reset(deployments[0] as never);
    expect(count("auth")).to.be.at.most(5);
  });

  it("tells of a refused credential, and takes it back when an attempt proves that it works", () => {
    fleet = new FleetBench({ replicaCount: 2, providers: ["p"] });
    fleet.advance(1_000);
    fleet.replica(0).start()("auth");
    fleet.advance(20);
    expect(fleet.replica(1).view().credentialDisabledUntilMs).to.be.above(fleet.clock.nowMs());
    fleet.replica(0).start()("success");
    fleet.advance(400);
    expect(fleet.replica(1).view().credentialDisabledUntilMs).to.be.at.most(fleet.clock.nowMs());
  });

  it("shares limits: what one spends the others have less of", () => {
    fleet = new FleetBench({
      replicaCount: 3,
      providers: ["p"],
      evidence: { limitsOf: () => ({ requestsPerMinute: 60 }) },
    });
    fleet.advance(1_000);
    for (let attempt = 0; attempt < 9; attempt++) fleet.replica(0).start();
    fleet.advance(400);
    for (const index of [1, 2]) {
      expect(fleet.replica(index).view().headroomRatio).to.be.closeTo(
        fleet.replica(0).view().headroomRatio,
        0.02,
      );
      expect(fleet.replica(index).view().headroomRatio).to.be.below(0.5);
    }
  });

  it("counts attempts in flight everywhere, from when they begin", () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    fleet.advance(1_000);
    const ends = [fleet.replica(0).start(), fleet.replica(0).start(), fleet.replica(1).start()];
    fleet.advance(400);
    expect(fleet.replica(2).view().inFlightCount).to.equal(3);
    for (const end of ends) end("success");
    fleet.advance(400);
    expect(fleet.replica(2).view().inFlightCount).to.equal(0);
  });

  it("informs a replica that joins late within 2.5 s of all that the others know", async () => {
    fleet = new FleetBench({ replicaCount: 8, providers: ["p", "q"] });
    fleet.advance(1_000);
    for (let attempt = 0; attempt < 3; attempt++) fleet.replica(0).start()("server_error");
    fleet.advance(5_000);
    const late = await fleet.restart(7);
    fleet.advance(2_500);
    expect(late.view().suspect).to.equal(true);
    expect(late.exchange.inbox.listPeers()).to.have.length(7);
    expect(late.table.listLiveReplicas()).to.have.length(7);
  });

  it("counts nothing as lost where nothing was, whoever joins and asks", async () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    fleet.advance(2_000);
    await fleet.restart(2);
    fleet.advance(2_000);
    await fleet.restart(1);
    fleet.advance(12_000);
    const lost = fleet.replicas.flatMap(({ exchange }) => exchange.inbox.listPeers());
    expect(lost.length).to.equal(6);
    expect(lost.map(({ lostCount }) => lostCount)).to.deep.equal(Array(6).fill(0));
  });

  it("leaves a replica out that says it stops", () => {
    fleet = new FleetBench({ replicaCount: 3, providers: ["p"] });
    fleet.advance(2_000);
    fleet.replica(0).exchange.announceDraining();
    fleet.advance(20);
    expect(fleet.replica(1).table.listLiveReplicas()).to.deep.equal(["replica-2"]);
    expect(fleet.replica(1).exchange.inbox.listPeers()[0]).to.include({
      replicaId: "replica-0",
      draining: true,
      version: "1.2.3",
    });
  });
});
