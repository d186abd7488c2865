/** What `sluice config` prints of a configuration and its problems. */

import type { Config } from "../config/config.ts";
import { type ConfigProblem, formatProblem } from "../config/problem.ts";
import { printable } from "./printable-text.ts";

/** Members of `requestOverrides` are the operator's own; these names may well hold a credential. */
const SECRET_NAME = /key|token|secret|passw|auth|credential|cookie/i;

/** One problem on one line. */
export function renderProblem(problem: ConfigProblem): string {
  return `  ${printable(formatProblem(problem))}`;
}

/** The size of a configuration in a few words. */
export function describeConfig({ server, providers, models }: Config): string {
  const deployments = models.flatMap((model) => model.deployments);
  const simulatedCount = deployments.filter((deployment) => deployment.simulated).length;
  const { host, port } = server.address;
  const counts = [
    countThings(providers.length, "provider"),
    countThings(models.length, "model"),
    countThings(deployments.length, "deployment") +
      (simulatedCount === 0 ? "" : ` (${simulatedCount} simulated)`),
  ];
  return `${counts.join(", ")}, on ${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The configuration as JSON. Secrets print themselves as `[redacted]`; texts with a telling name are redacted too. */
export function redactConfig(config: Config): string {
  const redact = (key: string, value: unknown) =>
    typeof value === "string" && SECRET_NAME.test(key) && !key.endsWith("File") ? "[redacted]" : value;
  return JSON.stringify(config, redact, 2);
}

function countThings(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
