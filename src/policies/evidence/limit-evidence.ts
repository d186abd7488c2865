import { Cooldown } from "../../core/evidence/cooldown.ts";
import { Quota, type QuotaHeaders } from "../../core/evidence/quota.ts";
import type { DeploymentRegisters as RegisterValues } from "../../core/evidence/replica-registers.ts";
import type { Deployment } from "../../domain/deployment.ts";
import type { Random } from "../../domain/ports.ts";
import { DeploymentRegisters } from "./deployment-registers.ts";
import type { EvidenceOptions } from "./evidence-options.ts";

/** What a deployment's provider allows: what is left of its limits, and the waits that it or another replica asks for. */
export class LimitEvidence {
  readonly quota: Quota;
  readonly #registers: DeploymentRegisters;
  readonly #random: Random;
  #cooldown = new Cooldown();

  /** `countReplicas`: how many replicas are alive and hear of each other, this one included. */
  constructor(
    deployment: Deployment,
    { limitsOf, replicaId }: Pick<EvidenceOptions, "limitsOf" | "replicaId">,
    countReplicas: (nowMs: number) => number,
    random: Random,
  ) {
    this.quota = new Quota(limitsOf?.(deployment) ?? {}, countReplicas);
    this.#registers = new DeploymentRegisters(replicaId ?? "");
    this.#random = random;
  }

  /** The end of the wait in force, by the Clock; 0 when there was none. */
  get cooldownUntilMs(): number {
    return Math.max(this.#cooldown.untilMs, this.#registers.cooldown.heededUntilMs);
  }

  /** The provider refused an attempt for its rate, and asked for this wait if it said so. `overdrawn`: see `Quota.noteRefusal`. */
  noteRefusal(nowMs: number, overdrawn: boolean, retryAfterMs: number | undefined): void {
    this.#cooldown.extend(nowMs, retryAfterMs, this.#random.next());
    this.#registers.cooldown.impose(nowMs, this.#cooldown.untilMs);
    this.quota.noteRefusal(nowMs, overdrawn, this.#random.next());
  }

  /** It refused another replica's. */
  noteRefusalElsewhere(nowMs: number): void {
    this.quota.noteRefusalElsewhere(nowMs, this.#random.next());
  }

  /** An attempt that began at `startedMs` was answered. `overdrawn`: it was made although nothing was left. */
  noteAnswer(startedMs: number, overdrawn: boolean): void {
    this.#cooldown.relax(startedMs);
    if (overdrawn) this.quota.noteOverdrawnAnswer();
  }

  readHeaders(nowMs: number, headers: QuotaHeaders): void {
    this.quota.readHeaders(nowMs, headers);
    this.#registers.noteHeaders(nowMs, headers);
  }

  /** Joins what another replica knows. */
  mergeRegisters(nowMs: number, values: RegisterValues): void {
    const takenBack = this.#registers.join(nowMs, values, this.#cooldown.untilMs, this.quota);
    if (takenBack) this.#cooldown = new Cooldown();
  }

  reportRegisters(nowMs: number): RegisterValues {
    return this.#registers.toValue(nowMs);
  }

  /** Ends the wait, here and at the others, at an operator's word. */
  endCooldown(nowMs: number): void {
    this.#cooldown = new Cooldown();
    this.#registers.cooldown.takeBack(nowMs);
  }
}
