import type { SimulatorProviderConfig } from "../../config/config.ts";
import type { ProviderFailure } from "../../domain/outcome.ts";
import type { Clock, Random } from "../../domain/ports.ts";
import type { FaultKind, SimulatedBehaviour } from "../../domain/simulation.ts";
import { draw } from "./distribution.ts";
import { chooseFault } from "./fault-schedule.ts";
import { ModelQuotas } from "./model-quotas.ts";
import type { Pace } from "./simulated-attempt.ts";

/** The figures of one attempt. */
export interface AttemptFigures {
  readonly pace: Pace;
  /** 1 or more. */
  readonly outputTokens: number;
}

type ErrorKind = Exclude<FaultKind, "hang" | "cut" | "reset">;

/** The statuses that OpenAI would answer with. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  auth: 401,
  invalid_request: 400,
  context_length_exceeded: 400,
  content_filter: 400,
  rate_limit: 429,
  quota_exhausted: 429,
  model_unavailable: 404,
  server_error: 500,
  overloaded: 503,
};

const PROVIDER_CODE = "simulated";

/** What a schedule, limits and distributions make of a simulated provider's attempts. */
export class BusyConditions {
  readonly #config: SimulatorProviderConfig;
  readonly #behaviour: SimulatedBehaviour;
  readonly #clock: Clock;
  readonly #quotas: ModelQuotas;
  readonly #startedMs: number;

  constructor(config: SimulatorProviderConfig, behaviour: SimulatedBehaviour, clock: Clock) {
    this.#config = config;
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#quotas = new ModelQuotas(behaviour.quota, clock);
    this.#startedMs = clock.nowMs();
  }

  /** Draws the figures of one attempt: always six numbers from `random`. */
  drawFigures(random: Random): AttemptFigures {
    const { timeToFirstTokenMs, tokensPerSecond, outputTokens } = this.#config;
    const { timeToFirstTokenP95Ms, tokensPerSecondP95, outputTokensP95 } = this.#behaviour;
    const firstMs = draw(
      { median: timeToFirstTokenMs, p95: timeToFirstTokenP95Ms ?? timeToFirstTokenMs },
      random,
    );
    const perSecond = draw({ median: tokensPerSecond, p95: tokensPerSecondP95 ?? tokensPerSecond }, random);
    const tokens = draw({ median: outputTokens, p95: outputTokensP95 ?? outputTokens }, random);
    return {
      pace: {
        timeToFirstTokenMs: firstMs,
        tokensPerSecond: perSecond > 0 ? perSecond : Number.POSITIVE_INFINITY,
      },
      outputTokens: Math.max(1, Math.round(tokens)),
    };
  }

  /** The fault that the schedule has for an attempt now. */
  findFault(model: string, chance: number): FaultKind | undefined {
    const elapsedMs = this.#clock.nowMs() - this.#startedMs;
    return chooseFault(this.#behaviour.schedule, {}, { elapsedMs, model, chance });
  }

  /** Counts an attempt against the limits: undefined, or the refusal, which costs nothing. */
  admit(model: string, tokenCount: number): ProviderFailure | undefined {
    const waitMs = this.#quotas.admit(model, tokenCount);
    return waitMs > 0 ? { ...describeFault("rate_limit"), retryAfterMs: waitMs } : undefined;
  }
}

/** The failure that a fault is. */
export function describeFault(kind: ErrorKind | "reset"): ProviderFailure {
  if (kind === "reset") return { class: "network" };
  return { class: kind, httpStatus: STATUS[kind], providerCode: PROVIDER_CODE };
}
