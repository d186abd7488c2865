import type { Deployment } from "../../src/domain/deployment.ts";
import type { ProviderCall } from "../../src/domain/ports.ts";
import type { GenerationRequest } from "../../src/domain/request.ts";
import { CANARIES } from "../support/canaries.ts";

/** A deployment of any provider. */
export function makeDeployment(changes: Partial<Deployment> = {}): Deployment {
  return {
    id: "acme/mini",
    model: "mini",
    provider: "acme",
    upstreamModel: "mini-2026",
    simulated: false,
    requestOverrides: {},
    concurrencyLimit: undefined,
    ...changes,
  };
}

/** A request with one user message. */
export function makeRequest(changes: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    messages: [{ role: "user", parts: [{ kind: "text", text: CANARIES.prompt }] }],
    target: { kind: "automatic" },
    priority: "balanced",
    requirements: { vision: false, tools: false, jsonOutput: false, longContext: false },
    sampling: {},
    tools: [],
    ...changes,
  };
}

/** A call of the deployment above. */
export function makeCall(
  request: Partial<GenerationRequest> = {},
  changes: Partial<ProviderCall> = {},
): ProviderCall {
  return {
    deployment: makeDeployment(),
    request: makeRequest(request),
    attemptId: "attempt-1",
    traceparent: undefined,
    ...changes,
  };
}
