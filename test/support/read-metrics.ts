import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Outcome } from "../../gen/sluice/v1/generation_pb.ts";
import type { DeploymentMetrics, MetricsSnapshot } from "../../gen/sluice/v1/metrics_pb.ts";
import { BreakerState, type MetricsScope } from "../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import { nameEnumValue } from "./name-enum-value.ts";

/** What Metrics says of one deployment, in a form that tests compare. */
export interface DeploymentState {
  readonly breaker: string;
  readonly consecutiveFailureCount: number;
  readonly inFlightCount: number;
  /** How many attempts ended so, by the outcome's name. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Asks a Sluice for its Metrics. */
export async function readMetrics(baseUrl: string, scope?: MetricsScope): Promise<MetricsSnapshot> {
  const transport = createConnectTransport({ httpVersion: "1.1", baseUrl });
  const { snapshot } = await createClient(RouterService, transport).metrics(
    scope === undefined ? {} : { scope },
  );
  if (snapshot === undefined) throw new Error("Metrics has no snapshot");
  return snapshot;
}

/** The deployment of that provider. */
export function findDeployment(snapshot: MetricsSnapshot, provider: string): DeploymentMetrics {
  const found = snapshot.models
    .flatMap((model) => model.deployments)
    .find((one) => one.provider === provider);
  if (found === undefined) throw new Error(`Metrics has no deployment of ${provider}`);
  return found;
}

/** The same in a form that tests compare. */
export function describeDeployment(snapshot: MetricsSnapshot, provider: string): DeploymentState {
  const { breakerState, consecutiveFailureCount, attempts } = findDeployment(snapshot, provider);
  return {
    breaker: nameEnumValue(BreakerState, breakerState),
    consecutiveFailureCount,
    inFlightCount: attempts?.inFlightCount ?? 0,
    outcomes: Object.fromEntries(
      (attempts?.outcomes ?? []).map(({ outcome, count }) => [
        nameEnumValue(Outcome, outcome),
        Number(count),
      ]),
    ),
  };
}
