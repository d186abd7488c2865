import { CANARIES } from "../support/canaries.ts";
import { CANNED_DIALECTS } from "./canned-answer.ts";
import { LIMITS } from "./fault-limits.ts";
import type { Cell } from "./fault-plan.ts";

/** The name of a cell's provider, model and, with `group-` before it, group. */
export function nameCell({ number }: Cell): string {
  return `cell-${number}`;
}

/** Where a cell's model server is, without the dialect's path. */
export type OriginOf = (cell: Cell) => string;

/**
 * The configuration of a Sluice that serves these cells. Each has a provider, a
 * deployment and a model of its own, so that what one cell does to health, limits and
 * credentials says nothing about the next. Nobody is asked for models: the one request
 * that a cell's model server sees is the cell's.
 */
export function writeFaultConfig(cells: readonly Cell[], serverPort: number, originOf: OriginOf): string {
  const provider = (name: string, kind: string, baseUrl: string) =>
    `  at-${name}: { kind: ${kind}, base_url: "${baseUrl}", api_key: "${CANARIES.providerKey}", connect_timeout: ${LIMITS.connectMs}ms, probe: false }`;
  const model = (name: string) =>
    `  - { name: ${name}, context_window_tokens: 100000, max_output_tokens: 1000, tools: true, deployments: [{ provider: at-${name} }] }`;
  const group = (name: string) =>
    `  group-${name}: { echelon1: { models: [${name}] }, echelon2: { models: [sound] }, fallback: { strategy: echelon_down, max_attempts: 2, retry_delay: 0s } }`;
  const pathOf = (cell: Cell) => {
    const { kind, basePath } = CANNED_DIALECTS[cell.dialect];
    const url = `${originOf(cell)}/f/${cell.fault.name}/${cell.moment}/${cell.number}/${cell.dialect}${basePath}`;
    return provider(nameCell(cell), kind, url);
  };
  return `
server: { address: "127.0.0.1:0", drain_timeout: 5s }
providers:
${provider("sound", "openai", `http://127.0.0.1:${serverPort}/f/none/none/-1/openai/v1`)}
${cells.map(pathOf).join("\n")}
models:
${[model("sound"), ...cells.map((cell) => model(nameCell(cell)))].join("\n")}
${cells.some(({ entry }) => entry.isBacked) ? "groups:" : ""}
${cells
  .filter(({ entry }) => entry.isBacked)
  .map((cell) => group(nameCell(cell)))
  .join("\n")}
routing:
  timeouts: { first_token: ${LIMITS.firstTokenMs}ms, idle: ${LIMITS.idleMs}ms, total: ${LIMITS.totalMs}ms }
  retry: { max_retries: 0 }
  budgets: { retry_ratio: 1, retries_per_second: 1000 }
  hedging: { enabled: false }
  breaker: { failure_threshold: 1000 }
telemetry: { log_level: debug }
`;
}
