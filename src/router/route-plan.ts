import type { AttemptPurpose } from "../domain/attempt.ts";
import type { Deployment } from "../domain/deployment.ts";
import type { ContextOverflow, GenerationRequest } from "../domain/request.ts";
import type { LiveSet } from "../policies/candidates/candidate-source.ts";
import type { RequestAccount } from "./request-account.ts";
import type { RouteConsumer, RouteContext } from "./route.ts";

/** Which walk to take. */
export interface RoutePlan {
  readonly live: LiveSet;
  readonly request: GenerationRequest;
  readonly context: RouteContext;
  readonly consumer: RouteConsumer;
  /** Notes what the request goes through; settled here unless this is a part. */
  readonly account: RequestAccount;
  /** Why the first attempt is made. */
  readonly purpose: AttemptPurpose;
  /** Deployments that must not be used. */
  readonly excluded: readonly Deployment[];
  /** Ids of deployments that were tried, where routes share them: no two of them try the same one. */
  readonly tried?: Set<string>;
  /** Whether to prefer another provider than that of the first excluded one. */
  readonly differs?: boolean;
  readonly hedges: boolean;
  readonly maxAttempts: number;
  /** What to do, once, when a provider finds that the prompt is too long after all; nothing where it is left out. */
  readonly contextOverflow?: ContextOverflow;
  /** Set for a part of a larger request: it settles no request of its own. */
  readonly isPart?: boolean;
}
