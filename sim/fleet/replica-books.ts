import type { AttemptRecord } from "../../src/domain/attempt.ts";
import { InvariantViolation } from "../check/invariant-violation.ts";
import type { SimRequest } from "../world/workload.ts";
import { BUDGETS } from "./sluice-options.ts";
import { SpendingRules } from "./spending-rules.ts";

/** A retry is bought before its wait; so many may wait at once. */
const WAITING_RETRY_COUNT = 20;

interface OpenRequest {
  readonly request: SimRequest;
  callCount: number;
  runningCount: number;
  /** Output tokens of whole answers that are not settled yet, by deployment. */
  readonly answers: Map<string, number>;
}

/**
 * The requests and calls of one replica as its providers see them, against what the router says
 * of them. I2: what is settled as an answer is one, and has its tokens; I5: hedges and other extra calls
 * stay within their budgets; I6: in the end nothing is left.
 */
export class ReplicaBooks {
  readonly #open = new Map<string, OpenRequest>();
  readonly #nowMs: () => number;
  readonly #hedges: SpendingRules;
  readonly #extras: SpendingRules;

  constructor(name: string, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#hedges = new SpendingRules(`hedges of ${name}`, BUDGETS.hedges, 0, nowMs());
    this.#extras = new SpendingRules(`retries of ${name}`, BUDGETS.extra, WAITING_RETRY_COUNT, nowMs());
  }

  get openCount(): number {
    return this.#open.size;
  }

  accept(requestId: string, request: SimRequest): void {
    this.#open.set(requestId, { request, callCount: 0, runningCount: 0, answers: new Map() });
    this.#hedges.deposit(this.#nowMs());
    this.#extras.deposit(this.#nowMs());
  }

  /** Throws `InvariantViolation` when there is none. */
  find(requestId: string): SimRequest {
    return this.#find(requestId).request;
  }

  /** A call begins; a second one beside another is a hedge. Throws `InvariantViolation`. */
  begin(requestId: string): void {
    const open = this.#find(requestId);
    if (open.runningCount > 0) this.#hedges.spend(this.#nowMs());
    else if (open.callCount > 0) this.#extras.spend(this.#nowMs());
    open.callCount += 1;
    open.runningCount += 1;
  }

  /** A call is over; `outputTokens` is undefined for what is no whole answer. */
  end(requestId: string, deployment: string, outputTokens: number | undefined): void {
    const open = this.#open.get(requestId);
    if (open === undefined) return;
    open.runningCount -= 1;
    if (outputTokens !== undefined) open.answers.set(deployment, outputTokens);
  }

  /** The router settles an attempt. Throws `InvariantViolation`. */
  settle(requestId: string, { outcome, deployment, usage }: AttemptRecord): void {
    if (outcome !== "success") return;
    const { request, answers } = this.#find(requestId);
    const outputTokens = answers.get(deployment.id);
    answers.delete(deployment.id);
    if (outputTokens === undefined)
      throw new InvariantViolation("I2", `${deployment.id} answers request ${requestId} by the router alone`);
    if (usage?.outputTokens !== outputTokens || usage.inputTokens !== request.promptTokens)
      throw new InvariantViolation("I2", `request ${requestId} is settled with other tokens than it had`);
  }

  /** The request has ended for its caller. */
  close(requestId: string): void {
    this.#open.delete(requestId);
  }

  #find(requestId: string): OpenRequest {
    const open = this.#open.get(requestId);
    if (open === undefined) throw new InvariantViolation("I4", `request ${requestId} goes on after its end`);
    return open;
  }
}
