import type { Random } from "../../src/domain/ports.ts";
import type { EndpointSpec } from "../world/endpoint-spec.ts";
import type { Regime } from "../world/regime.ts";
import type { SimRequest } from "../world/workload.ts";

/** What a policy may know: what is declared, the time, chance. Never the truth. */
export interface PolicyContext {
  readonly endpoints: readonly EndpointSpec[];
  readonly regime: Regime;
  readonly random: Random;
  /** The same for all replicas of a run: what a memory that they share is found by. */
  readonly fleet: object;
  readonly nowMs: () => number;
  /** The declared price now, as a factor on the endpoint's own. */
  readonly priceFactorOf: (endpoint: number) => number;
}

/** How a call ended, as a client sees it. */
export type CallOutcome = "ok" | "error" | "timeout" | "limited" | "unpaid" | "cut";

/** One ended call. */
export interface CallReport {
  readonly endpoint: number;
  readonly outcome: CallOutcome;
  /** Undefined when none came. */
  readonly firstTokenMs: number | undefined;
  readonly totalMs: number;
  readonly outputTokens: number;
  readonly retryAfterMs: number | undefined;
}

/** One replica's way to choose. Everybody who routes by choosing one endpoint at a time fits in here. */
export interface Policy {
  /** Chooses of the untried ones; undefined fails the request. */
  choose(request: SimRequest, untried: readonly number[], attempt: number): number | undefined;
  onStart?(endpoint: number, request: SimRequest): void;
  onFirstToken?(endpoint: number, firstTokenMs: number): void;
  onEnd?(report: CallReport, request: SimRequest): void;
}

/** Makes a replica's policy. */
export type PolicyFactory = (context: PolicyContext) => Policy;
