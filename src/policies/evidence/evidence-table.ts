import type { SeriesValue } from "../../core/evidence/bucket-series.ts";
import type { MergeResult } from "../../core/evidence/fleet-evidence.ts";
import type { PeerBreaker } from "../../core/evidence/peer-breaker.ts";
import {
  findMutedReplicas,
  MIN_MUTING_PROVIDER_COUNT,
  type ProviderSight,
} from "../../core/evidence/peer-muting.ts";
import { computeQuotaShare, type QuotaHeaders } from "../../core/evidence/quota.ts";
import type { ReplicaEvidence } from "../../core/evidence/replica-evidence.ts";
import type { CredentialRegister, DeploymentRegisters } from "../../core/evidence/replica-registers.ts";
import type { AttemptRecord } from "../../domain/attempt.ts";
import type { Deployment } from "../../domain/deployment.ts";
import type { BreakerState } from "../../domain/metrics.ts";
import type { Clock, Random } from "../../domain/ports.ts";
import type { BreakerPermit } from "../breaker.ts";
import type { QuotaPace } from "../quota-queue.ts";
import { DeploymentEvidence } from "./deployment-evidence.ts";
import type { DeploymentView } from "./deployment-view.ts";
import type { EvidenceOptions, EvidenceSubject } from "./evidence-options.ts";
import { LiveReplicas } from "./live-replicas.ts";
import { ProviderState } from "./provider-state.ts";
import type { AttemptSize, StartedAttempt } from "./started-attempt.ts";
import { TokenState } from "./token-state.ts";

const MUTING_INTERVAL_MS = 1_000;
const NONE_MUTED: ReadonlySet<string> = new Set();

/** What the fleet says of a deployment over the last minute. */
export interface FleetSight {
  readonly endedCount: number;
  readonly failedCount: number;
  readonly inFlightCount: number;
  /** Whether the others' evidence keeps this replica from choosing it. */
  readonly suspect: boolean;
  /** Other replicas whose circuit breaker is not closed. */
  readonly openReplicaCount: number;
  /** Undefined when no other replica has told anything. */
  readonly evidenceAgeMs: number | undefined;
}

/** The evidence about every deployment. Its memory does not grow with traffic. */
export class EvidenceTable {
  readonly #clock: Clock;
  readonly #entries = new Map<string, DeploymentEvidence>();
  readonly #providers = new Map<string, ProviderState>();
  /** The same entries, each with its provider. */
  readonly #list: { readonly provider: string; readonly entry: DeploymentEvidence }[] = [];
  readonly #tokens = new Map<string, TokenState>();
  readonly #replicas = new LiveReplicas();
  #muted: ReadonlySet<string> = NONE_MUTED;
  readonly #failedProviders = new Set<string>();
  #mutingMs = Number.NEGATIVE_INFINITY;

  constructor(subjects: Iterable<EvidenceSubject>, clock: Clock, random: Random, options: EvidenceOptions) {
    this.#clock = clock;
    const { replicaId = "" } = options;
    const weightOf = (replicaId: string) =>
      this.#muted.has(replicaId) ? 0 : (options.weightOfReplica?.(replicaId) ?? 1);
    const countReplicas = (nowMs: number) => this.#replicas.countLive(nowMs);
    for (const subject of subjects) {
      const { id, provider } = subject.deployment;
      const state = this.#providers.get(provider) ?? new ProviderState(replicaId);
      this.#providers.set(provider, state);
      const { upstreamModel } = subject.deployment;
      const tokens = this.#tokens.get(upstreamModel) ?? new TokenState();
      this.#tokens.set(upstreamModel, tokens);
      const shared = { provider: state, tokens, countReplicas };
      const entry = new DeploymentEvidence(subject, shared, random, options, weightOf);
      const listOthers = () => this.listLiveReplicas();
      if (replicaId !== "") entry.shareProbes(replicaId, listOthers, () => clock.wallMs());
      this.#entries.set(id, entry);
      this.#list.push({ provider, entry });
    }
  }

  /** Counts an attempt that begins and reserves what it is expected to use. Pair it with one `recordEnd`. */
  recordStart(deployment: Deployment, size: AttemptSize): StartedAttempt {
    return this.#entry(deployment).recordStart(this.#clock.nowMs(), size);
  }

  /**
   * An attempt is `ageMs` old and has no first token. From the suspect age on that is
   * weak evidence, once per attempt, though it still runs; its end then adds only what
   * is missing. Returns the age at which to look again; Infinity for never.
   */
  recordSilence(
    deployment: Deployment,
    started: StartedAttempt,
    ageMs: number,
    permit?: BreakerPermit,
  ): number {
    return this.#entry(deployment).recordSilence(this.#clock.nowMs(), started, ageMs, permit);
  }

  /** The age from which on the silence of an attempt is evidence; see `computeSuspectAgeMs`. */
  suspectAgeMs(deployment: Deployment, promptTokens: number): number {
    return this.#entry(deployment).suspectAgeMs(this.#clock.nowMs(), promptTokens);
  }

  /**
   * Lets an ended attempt through the one door its outcome has, and settles its
   * breaker's permit when one is given. An attempt whose permit is from an earlier
   * state of the breaker says nothing about the time since.
   */
  recordEnd(started: StartedAttempt, record: AttemptRecord, permit?: BreakerPermit): void {
    this.#entry(record.deployment).recordEnd(this.#clock.nowMs(), started, record, permit);
  }

  /** Takes what a provider's headers say of a deployment's limits. */
  readHeaders(deployment: Deployment, headers: QuotaHeaders): void {
    this.#entry(deployment).readHeaders(this.#clock.nowMs(), headers);
  }

  /**
   * What is believed of a deployment, at most 100 ms old. The object is reused: it
   * holds until the next call for the same deployment.
   */
  view(deployment: Deployment, nowMs: number): DeploymentView {
    return this.#entry(deployment).view(nowMs);
  }

  /** The state of its circuit breaker here; costs less than the view. */
  breakerState(deployment: Deployment, nowMs: number): BreakerState {
    return this.#entry(deployment).reportBreaker(nowMs).state;
  }

  /** The time to the first token that a share of `ratio` (0 to 1) of such attempts does not exceed; for hedging. */
  firstTokenQuantileMs(deployment: Deployment, ratio: number, promptTokens: number): number {
    return this.#entry(deployment).firstTokenQuantileMs(this.#clock.nowMs(), ratio, promptTokens);
  }

  /** Joins another replica's evidence; undefined for a deployment that is not in the catalog. */
  merge(evidence: ReplicaEvidence): MergeResult | undefined {
    const entry = this.#entries.get(evidence.deploymentId);
    if (entry === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    const result = entry.merge(nowMs, evidence, this.#replicas.count(nowMs, true));
    if (result === "merged") {
      this.#replicas.hear(evidence.replicaId, nowMs);
      this.#refreshMuting(nowMs);
    }
    return result;
  }

  /** Takes a sign of life of another replica; a replica that is about to stop is not counted any more. */
  hearReplica(replicaId: string, draining: boolean): void {
    if (draining) this.#replicas.forget(replicaId);
    else this.#replicas.hear(replicaId, this.#clock.nowMs());
  }

  /** Drops what was told in the name of a replica: it was not the replica that told it. */
  forgetReplica(replicaId: string): void {
    for (const entry of this.#entries.values()) entry.forgetReplica(replicaId);
  }

  /** Joins what a replica tells of a deployment beside counters. Deployments that are not in the catalog are left out. */
  mergeRegisters(deploymentId: string, registers: DeploymentRegisters): void {
    this.#entries.get(deploymentId)?.mergeRegisters(this.#clock.nowMs(), registers);
  }

  /** Joins what a replica tells of a provider's credential. Unknown providers are left out. */
  mergeCredential({ provider, disabled }: CredentialRegister): void {
    const state = this.#providers.get(provider);
    if (state === undefined) return;
    const { credential, sharedCredential } = state;
    const nowMs = this.#clock.nowMs();
    if (sharedCredential.join(nowMs, disabled, credential.disabledUntilMs)) credential.reset();
  }

  /** The providers' credentials that were ever refused, for the others. */
  reportCredentials(): readonly CredentialRegister[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#providers].flatMap(([provider, { sharedCredential }]) => {
      const disabled = sharedCredential.toValue(nowMs);
      return disabled === undefined ? [] : [{ provider, disabled }];
    });
  }

  /** This replica's own counters and attempts in flight, for the others; the newest buckets, or all. */
  report(
    deployment: Deployment,
    fineCount?: number,
    coarseCount?: number,
  ): {
    readonly sentMs: number;
    readonly inFlightCount: number;
    readonly series: SeriesValue;
    readonly breaker: PeerBreaker;
  } {
    const entry = this.#entry(deployment);
    const series = entry.report(fineCount, coarseCount);
    const nowMs = this.#clock.nowMs();
    return { sentMs: nowMs, inFlightCount: entry.inFlightCount, series, breaker: entry.reportBreaker(nowMs) };
  }

  /** What all replicas share about a deployment beside counters, for the others. */
  reportRegisters(deployment: Deployment): DeploymentRegisters {
    return this.#entry(deployment).reportRegisters(this.#clock.nowMs());
  }

  /** What is known of the other replicas' counters, by `<replica>/<incarnation>`: equal for equal knowledge. */
  listKnownSeries(deployment: Deployment): readonly { readonly key: string; readonly series: SeriesValue }[] {
    return this.#entry(deployment).listKnownSeries();
  }

  /** What the fleet says of a deployment over the last minute, this replica included. */
  describeFleet(deployment: Deployment): FleetSight {
    const entry = this.#entry(deployment);
    const nowMs = this.#clock.nowMs();
    const own = entry.summarize(undefined, nowMs);
    const peers = entry.describePeers(nowMs);
    const { inFlightCount, suspect } = entry.view(nowMs);
    return {
      endedCount: own.endedCount + peers.endedCount,
      failedCount: own.failedCount + peers.failedCount,
      inFlightCount,
      suspect,
      openReplicaCount: peers.openCount,
      evidenceAgeMs: peers.newestAgeMs,
    };
  }

  /** How far another replica and this one differ: deployments held failed by only one of them, and refutations. */
  compareWith(replicaId: string): { readonly disagreementCount: number; readonly refutedCount: number } {
    const nowMs = this.#clock.nowMs();
    let disagreementCount = 0;
    let refutedCount = 0;
    for (const entry of this.#entries.values()) {
      if (entry.disagreesWith(replicaId, nowMs)) disagreementCount += 1;
      refutedCount += entry.refutedCount(replicaId);
    }
    return { disagreementCount, refutedCount };
  }

  /** The other replicas that are alive, for the probe's lease. */
  listLiveReplicas(): readonly string[] {
    return this.#replicas.list(this.#clock.nowMs());
  }

  /** The replicas that are not listened to about health. */
  get mutedReplicas(): ReadonlySet<string> {
    return this.#muted;
  }

  /** Says whether the other replicas can be heard; cut off, this one keeps to its share of the limits. */
  setConnected(connected: boolean): void {
    const liveCount = this.#replicas.count(this.#clock.nowMs(), connected);
    const share = computeQuotaShare(liveCount, connected);
    for (const entry of this.#entries.values()) entry.setQuotaShare(share);
  }

  /** What a queue at the deployment's limits goes by. */
  quotaPace(deployment: Deployment): QuotaPace {
    return this.#entry(deployment).pace;
  }

  /** Keeps a deployment out of use for `HOLD_MS`: its provider does not have its model. */
  setAside(deployment: Deployment): void {
    this.#entry(deployment).hold(this.#clock.nowMs());
  }

  /** Forgets what was learnt of a deployment, closes its breaker and enables its provider's credential: an operator's word. */
  reset(deployment: Deployment): void {
    this.#entry(deployment).reset(this.#clock.nowMs());
  }

  #entry(deployment: Deployment): DeploymentEvidence {
    const entry = this.#entries.get(deployment.id);
    if (entry === undefined) throw new Error(`deployment ${deployment.id} is not in the table`);
    return entry;
  }

  #refreshMuting(nowMs: number): void {
    if (nowMs - this.#mutingMs < MUTING_INTERVAL_MS) return;
    this.#mutingMs = nowMs;
    const replicaIds = [undefined, ...this.#replicas.list(nowMs)];
    const isOdd = replicaIds.some((id) => this.#countFailedProviders(id, nowMs) >= MIN_MUTING_PROVIDER_COUNT);
    if (!isOdd) this.#muted = NONE_MUTED;
    else
      this.#muted = findMutedReplicas(replicaIds.flatMap((replicaId) => this.#listSights(replicaId, nowMs)));
  }

  /** Providers of which a replica saw a failure lately: as a rule too few to look any closer. */
  #countFailedProviders(replicaId: string | undefined, nowMs: number): number {
    this.#failedProviders.clear();
    for (const { provider, entry } of this.#list) {
      if (this.#failedProviders.has(provider)) continue;
      if (entry.summarize(replicaId, nowMs).failedCount > 0) this.#failedProviders.add(provider);
    }
    return this.#failedProviders.size;
  }

  #listSights(replicaId: string | undefined, nowMs: number): readonly ProviderSight[] {
    const byProvider = new Map<string, { endedCount: number; failedCount: number }>();
    for (const { provider, entry } of this.#list) {
      const total = byProvider.get(provider) ?? { endedCount: 0, failedCount: 0 };
      const seen = entry.summarize(replicaId, nowMs);
      total.endedCount += seen.endedCount;
      total.failedCount += seen.failedCount;
      byProvider.set(provider, total);
    }
    // The empty name is this replica's own: no peer can have it.
    return [...byProvider].map(([provider, total]) => ({ replicaId: replicaId ?? "", provider, ...total }));
  }
}
