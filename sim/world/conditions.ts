import { drawUnit } from "./draws.ts";
import type { EndpointSpec } from "./endpoint-spec.ts";
import type { Effect, Scenario } from "./scenario.ts";

/** The truth about an endpoint at a moment. */
export interface Condition {
  errorRatio: number;
  hangRatio: number;
  cutRatio: number;
  firstTokenFactor: number;
  perTokenFactor: number;
  quotaFactor: number;
  priceFactor: number;
  silentRefusalRatio: number;
  unpaid: boolean;
}

/** Errors that happen on a good day. */
const BACKGROUND_ERROR_RATIO = 0.003;
/** Refusals without Retry-After on a good day. */
const SILENT_REFUSAL_RATIO = 0.3;

/** What holds of every endpoint at every time. */
export class Conditions {
  readonly #effects: readonly (readonly Effect[])[];
  readonly #hiddenFactors: readonly number[];
  readonly #condition: Condition = blank();

  constructor(
    endpoints: readonly EndpointSpec[],
    effects: readonly Effect[],
    scenario: Scenario,
    seed: number,
  ) {
    const { lowest, highest } = scenario.misprofile;
    this.#hiddenFactors = endpoints.map((_, index) =>
      Math.exp(Math.log(lowest) + drawUnit(seed, index, 2, 0, 8) * Math.log(highest / lowest)),
    );
    this.#effects = endpoints.map((endpoint) => effects.filter(({ where }) => matches(where, endpoint)));
  }

  /** The condition for calls of a replica; the object is reused by the next call. `replica` -1 sees what all see. */
  at(endpoint: number, nowMs: number, replica: number): Readonly<Condition> {
    const condition = this.#condition;
    const hidden = this.#hiddenFactors[endpoint] ?? 1;
    Object.assign(condition, BLANK);
    condition.firstTokenFactor = hidden;
    condition.perTokenFactor = hidden;
    for (const effect of this.#effects[endpoint] ?? []) {
      if (nowMs < effect.fromMs || nowMs >= effect.untilMs) continue;
      if (effect.replica >= 0 && effect.replica !== replica) continue;
      const sinceMs = nowMs - effect.fromMs;
      if (effect.alternateMs > 0 && Math.floor(sinceMs / effect.alternateMs) % 2 === 1) continue;
      apply(condition, effect, effect.rampMs > 0 ? Math.min(sinceMs / effect.rampMs, 1) : 1);
    }
    return condition;
  }
}

/** Whether a selector (`*`, a provider or an id) means the endpoint. */
export function matches(where: string, { id, provider }: EndpointSpec): boolean {
  return where === "*" || where === provider || where === id;
}

function apply(condition: Condition, effect: Effect, strength: number): void {
  condition.errorRatio = Math.max(condition.errorRatio, effect.errorRatio * strength);
  condition.hangRatio = Math.max(condition.hangRatio, effect.hangRatio * strength);
  condition.cutRatio = Math.max(condition.cutRatio, effect.cutRatio * strength);
  condition.firstTokenFactor *= 1 + (effect.firstTokenFactor - 1) * strength;
  condition.perTokenFactor *= 1 + (effect.perTokenFactor - 1) * strength;
  condition.quotaFactor *= 1 + (effect.quotaFactor - 1) * strength;
  condition.priceFactor *= 1 + (effect.priceFactor - 1) * strength;
  if (effect.silentRefusalRatio >= 0) condition.silentRefusalRatio = effect.silentRefusalRatio;
  condition.unpaid ||= effect.unpaid;
}

function blank(): Condition {
  return {
    errorRatio: BACKGROUND_ERROR_RATIO,
    hangRatio: 0,
    cutRatio: 0,
    firstTokenFactor: 1,
    perTokenFactor: 1,
    quotaFactor: 1,
    priceFactor: 1,
    silentRefusalRatio: SILENT_REFUSAL_RATIO,
    unpaid: false,
  };
}

const BLANK: Readonly<Condition> = blank();
