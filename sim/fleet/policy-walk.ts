import type { FailureClass } from "../../src/domain/outcome.ts";
import type { Cleanup } from "../../src/domain/ports.ts";
import type { CallOutcome, Policy } from "../policies/policy.ts";
import type { SimRequest } from "../world/workload.ts";
import type { WorldCall } from "../world/world.ts";
import type { FleetParts } from "./fleet.ts";

/** One request's way through a policy's choices: another endpoint after each failure before the first token. */
export class PolicyWalk {
  readonly #parts: FleetParts;
  readonly #policy: Policy;
  readonly #request: SimRequest;
  readonly #firstTokenTimeoutMs: number;
  readonly #tried: number[] = [];
  #call: WorldCall | undefined;
  #hadToken = false;
  #stopDeadline: Cleanup = () => {};
  #stopFirstToken: Cleanup = () => {};
  /** Tells the policy of the running call's end. */
  #report: (outcome: CallOutcome, outputTokens: number, retryAfterMs?: number) => void = () => {};

  constructor(parts: FleetParts, policy: Policy, request: SimRequest, firstTokenTimeoutMs: number) {
    this.#parts = parts;
    this.#policy = policy;
    this.#request = request;
    this.#firstTokenTimeoutMs = firstTokenTimeoutMs;
  }

  begin(): void {
    const { world, regime } = this.#parts;
    this.#stopDeadline = world.clock.timer(regime.timeoutMs, () => this.#expire());
    this.#attempt();
  }

  #attempt(): void {
    const { world } = this.#parts;
    const endpoint = this.#choose();
    if (endpoint === undefined) return this.#finish(false);
    this.#tried.push(endpoint);
    const startedMs = world.clock.nowMs();
    let firstTokenMs: number | undefined;
    this.#report = (outcome, outputTokens, retryAfterMs) => {
      this.#stopFirstToken();
      const totalMs = world.clock.nowMs() - startedMs;
      this.#policy.onEnd?.(
        { endpoint, outcome, firstTokenMs, totalMs, outputTokens, retryAfterMs },
        this.#request,
      );
    };
    this.#policy.onStart?.(endpoint, this.#request);
    this.#stopFirstToken = world.clock.timer(this.#firstTokenTimeoutMs, () => {
      this.#call?.abort();
      this.#report("timeout", 0);
      this.#goOn();
    });
    this.#call = world.call(endpoint, this.#request, {
      onFirstToken: () => {
        this.#stopFirstToken();
        firstTokenMs = world.clock.nowMs() - startedMs;
        this.#hadToken = true;
        this.#parts.referee.noteFirstToken(this.#request);
        this.#policy.onFirstToken?.(endpoint, firstTokenMs);
      },
      onEnd: (failure, outputTokens) => {
        const outcome = failure === undefined ? "ok" : nameOutcome(failure.class);
        this.#report(outcome, outputTokens, failure?.retryAfterMs);
        if (failure === undefined) return this.#finish(true);
        this.#goOn();
      },
    });
  }

  /** Nothing more can be tried once a token was shown. */
  #goOn(): void {
    if (this.#hadToken || this.#tried.length >= this.#parts.regime.maxAttempts) this.#finish(false);
    else this.#attempt();
  }

  #choose(): number | undefined {
    const untried = this.#parts.world.endpoints.flatMap((_, index) =>
      this.#tried.includes(index) ? [] : [index],
    );
    return this.#policy.choose(this.#request, untried, this.#tried.length);
  }

  #expire(): void {
    this.#call?.abort();
    this.#report("timeout", 0);
    this.#finish(false);
  }

  #finish(succeeded: boolean): void {
    this.#stopDeadline();
    this.#stopFirstToken();
    this.#parts.referee.finish(this.#request, succeeded);
  }
}

function nameOutcome(failureClass: FailureClass): CallOutcome {
  if (failureClass === "rate_limit") return "limited";
  if (failureClass === "quota_exhausted") return "unpaid";
  return failureClass === "stream_interrupted" ? "cut" : "error";
}
