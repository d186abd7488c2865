import type { AttemptRecord } from "../domain/attempt.ts";
import type { RouteError } from "../domain/errors.ts";
import type { Settlement } from "./settle.ts";

/** Settles one request exactly once, whatever routes it was made of. */
export class RequestAccount {
  readonly #settlement: Settlement;
  readonly requestId: string;
  readonly #scopes = new Set<string>();
  #settled = false;

  constructor(settlement: Settlement, requestId: string) {
    this.#settlement = settlement;
    this.requestId = requestId;
  }

  /** Notes what an attempt of the request goes through: groups, echelons, pools, chains, model, provider. */
  noteScopes(scopes: readonly string[]): void {
    for (const scope of scopes) this.#scopes.add(scope);
  }

  settleSuccess(attempts: readonly AttemptRecord[]): void {
    if (this.#settle()) this.#settlement.settleSuccess(this.requestId, attempts, [...this.#scopes]);
  }

  settleFailure(attempts: readonly AttemptRecord[], error: RouteError): void {
    if (this.#settle()) this.#settlement.settleFailure(this.requestId, attempts, [...this.#scopes], error);
  }

  #settle(): boolean {
    const first = !this.#settled;
    this.#settled = true;
    return first;
  }
}
