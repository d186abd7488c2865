import type { Distribution, FaultRatios, QuotaLimits, ScheduledFault } from "../domain/simulation.ts";
import type { Secret } from "../lib/secret.ts";
import { always } from "../providers/simulator/distribution.ts";

/** What tokens cost, in billionths of a US dollar per million. */
export interface SimulatedPrice {
  readonly inputNanoUsd: number;
  readonly outputNanoUsd: number;
}

/** How the simulated server behaves. */
export interface SimulationSettings {
  /** The models it has; undefined takes any name. */
  readonly models: readonly string[] | undefined;
  /** The key that callers must show; undefined takes everyone. */
  readonly apiKey: Secret | undefined;
  /** In milliseconds. */
  readonly timeToFirstToken: Distribution;
  /** After the first token; 0 sends all at once. */
  readonly tokensPerSecond: Distribution;
  /** Of an answer, unless the request allows fewer. */
  readonly outputTokens: Distribution;
  readonly faultRatios: FaultRatios;
  readonly schedule: readonly ScheduledFault[];
  readonly quota: QuotaLimits;
  /** What every dialect books and OpenRouter's tells. */
  readonly price: SimulatedPrice;
  /** Whether a model that may call tools does so, once per question. */
  readonly callsTools: boolean;
  /** Makes everything that is drawn repeatable; undefined draws anew at each start. */
  readonly seed: number | undefined;
}

/** A server without faults and limits: 200 ms to the first token, then 50 tokens per second, 120 tokens, for 0.1 and 0.4 US dollars a million. */
export const DEFAULT_SIMULATION: SimulationSettings = {
  models: undefined,
  apiKey: undefined,
  timeToFirstToken: always(200),
  tokensPerSecond: always(50),
  outputTokens: always(120),
  faultRatios: {},
  schedule: [],
  quota: { requestsPerMinute: undefined, tokensPerMinute: undefined },
  price: { inputNanoUsd: 100_000_000, outputNanoUsd: 400_000_000 },
  callsTools: false,
  seed: undefined,
};
