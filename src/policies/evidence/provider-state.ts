import { CredentialState } from "../../core/evidence/credential-state.ts";
import { SharedWait } from "./deployment-registers.ts";

/** Trips of a provider's deployments that count as one event. */
const COUPLING_WINDOW_MS = 10_000;
/** For how long after such an event the others are on trial. */
const COUPLING_MS = 10_000;
const COUPLED_TRIP_COUNT = 2;

/** What a provider's deployments share: its credential, and its fate. */
export class ProviderState {
  readonly credential = new CredentialState();
  /** What the other replicas know of its credential. */
  readonly sharedCredential: SharedWait;
  readonly #tripsMs = new Map<string, number>();
  #coupledUntilMs = 0;

  constructor(replicaId = "") {
    this.sharedCredential = new SharedWait(replicaId);
  }

  /** Until when the credential counts as refused, by own and others' word. */
  get credentialDisabledUntilMs(): number {
    return Math.max(this.credential.disabledUntilMs, this.sharedCredential.heededUntilMs);
  }

  /** Whether its account has no credit, by own word alone: the others do not tell why. */
  get isUsedUp(): boolean {
    return this.credential.disabledUntilMs > 0 && this.credential.isUsedUp;
  }

  /** The provider refused the credential, or, if `isUsedUp`, what may be used with it is used up. */
  disableCredential(nowMs: number, isUsedUp: boolean): void {
    this.credential.disable(nowMs, isUsedUp);
    this.sharedCredential.impose(nowMs, this.credential.disabledUntilMs);
  }

  /** It works, as an attempt or an operator has shown. */
  enableCredential(nowMs: number): void {
    this.credential.reset();
    this.sharedCredential.takeBack(nowMs);
  }

  /** A deployment's breaker has opened. Two of them within 10 s speak against all of the provider's. */
  noteTrip(deploymentId: string, nowMs: number): void {
    this.#tripsMs.set(deploymentId, nowMs);
    let recentCount = 0;
    for (const tripMs of this.#tripsMs.values()) {
      if (nowMs - tripMs <= COUPLING_WINDOW_MS) recentCount += 1;
    }
    if (recentCount >= COUPLED_TRIP_COUNT) this.#coupledUntilMs = nowMs + COUPLING_MS;
  }

  /** Whether several of its deployments have just tripped. */
  isCoupled(nowMs: number): boolean {
    return nowMs < this.#coupledUntilMs;
  }
}
