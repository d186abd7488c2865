import type { SimRequest } from "../world/workload.ts";
import type { PolicyContext } from "./policy.ts";

const MINUTE_MS = 60_000;

/** Requests and tokens of the current minute on the wall clock: windows that begin anew with each minute. */
export class MinuteUsage {
  readonly #context: Pick<PolicyContext, "endpoints" | "regime" | "nowMs">;
  readonly #requests: number[] = [];
  readonly #tokens: number[] = [];
  #minute = -1;

  constructor(context: Pick<PolicyContext, "endpoints" | "regime" | "nowMs">) {
    this.#context = context;
  }

  /** Whether neither limit of the minute would be passed, as far as is known before the answer. */
  hasRoom(endpoint: number, { promptTokens }: SimRequest): boolean {
    this.#turn();
    const { endpoints, regime } = this.#context;
    const spec = endpoints[endpoint];
    if (spec === undefined) return false;
    const { requestsPerMinute, tokensPerMinute } = spec;
    return (
      (this.#requests[endpoint] ?? 0) < requestsPerMinute * regime.quotaRatio &&
      this.tokensOf(endpoint) + promptTokens <= tokensPerMinute * regime.quotaRatio
    );
  }

  tokensOf(endpoint: number): number {
    this.#turn();
    return this.#tokens[endpoint] ?? 0;
  }

  add(endpoint: number, promptTokens: number): void {
    this.#turn();
    this.#requests[endpoint] = (this.#requests[endpoint] ?? 0) + 1;
    this.addTokens(endpoint, promptTokens);
  }

  addTokens(endpoint: number, tokens: number): void {
    this.#turn();
    this.#tokens[endpoint] = (this.#tokens[endpoint] ?? 0) + tokens;
  }

  #turn(): void {
    const minute = Math.floor(this.#context.nowMs() / MINUTE_MS);
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#requests.length = 0;
    this.#tokens.length = 0;
  }
}
