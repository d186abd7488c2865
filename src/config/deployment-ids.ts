import { childValue } from "./schema/schema-node.ts";

/** The id of a deployment that has none of its own: `<provider>/<upstream model>`; undefined where these are wrong. */
export function deriveDeploymentId(deployment: unknown, model: unknown): string | undefined {
  const provider = childValue(deployment, "provider");
  const upstreamModel = childValue(deployment, "upstream_model") ?? childValue(model, "name");
  return typeof provider === "string" && typeof upstreamModel === "string"
    ? `${provider}/${upstreamModel}`
    : undefined;
}
