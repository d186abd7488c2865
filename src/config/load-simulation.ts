import { resolve } from "node:path";

import {
  type Distribution,
  FAULT_KINDS,
  type FaultRatios,
  type QuotaLimits,
  type ScheduledFault,
} from "../domain/simulation.ts";
import { Secret } from "../lib/secret.ts";
import { assembleSchedule } from "./assemble-behaviour.ts";
import { type ConfigFiles, machineFiles } from "./config-files.ts";
import type { Env } from "./interpolate.ts";
import type { ConfigProblem } from "./problem.ts";
import { fitToSchema } from "./schema/fit-to-schema.ts";
import { listSchemaProblems } from "./schema/list-schema-problems.ts";
import { simulationJsonSchema, simulationSchema } from "./schema/simulation-file.ts";
import { readYaml } from "./yaml-source.ts";

/** How `sluice simulate` behaves, as its file says; undefined is left to the server. */
export interface SimulationConfig {
  readonly models: readonly string[] | undefined;
  readonly apiKey: Secret | undefined;
  /** In milliseconds. */
  readonly timeToFirstToken: Distribution | undefined;
  readonly tokensPerSecond: Distribution | undefined;
  readonly outputTokens: Distribution | undefined;
  readonly faultRatios: FaultRatios;
  readonly schedule: readonly ScheduledFault[];
  readonly quota: QuotaLimits;
  /** In billionths of a US dollar per million tokens. */
  readonly price: { readonly inputNanoUsd: number; readonly outputNanoUsd: number } | undefined;
  readonly callsTools: boolean;
  readonly seed: number | undefined;
}

export type SimulationResult =
  | { readonly ok: true; readonly config: SimulationConfig }
  /** Never empty. */
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Reads the file of `sluice simulate`. Never throws for what it holds. */
export function loadSimulation(file: string, env: Env, files: ConfigFiles = machineFiles): SimulationResult {
  const content = files.readText(resolve(file));
  if (content.kind !== "text") {
    const wrong = content.kind === "missing" ? "is not there" : content.why;
    const problem = { source: file, path: "", wrong, right: "the path of a readable YAML file" };
    return { ok: false, problems: [problem] };
  }
  const source = readYaml(content.text, file, env);
  const value = fitToSchema(source.value ?? {}, simulationJsonSchema(), source.isInterpolated);
  const parsed = simulationSchema.safeParse(value);
  const hasTree = source.value !== undefined || source.problems.length === 0;
  const problems = [...source.problems, ...(hasTree ? listSchemaProblems(parsed.error, value, source) : [])];
  if (problems.length > 0 || parsed.data === undefined) return { ok: false, problems };
  const { data } = parsed;
  return {
    ok: true,
    config: {
      models: data.models,
      apiKey: data.api_key === undefined ? undefined : new Secret(data.api_key),
      timeToFirstToken: fill(data.time_to_first_token),
      tokensPerSecond: fill(data.tokens_per_second),
      outputTokens: fill(data.output_tokens),
      faultRatios: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, data.fault_ratios[kind] ?? 0])),
      schedule: assembleSchedule(data.faults),
      quota: { requestsPerMinute: data.requests_per_minute, tokensPerMinute: data.tokens_per_minute },
      price: data.price_usd_per_million_tokens && {
        inputNanoUsd: data.price_usd_per_million_tokens.input,
        outputNanoUsd: data.price_usd_per_million_tokens.output,
      },
      callsTools: data.call_tools,
      seed: data.seed,
    },
  };
}

/** Without a 95th percentile it does not vary. */
function fill(given: { median: number; p95?: number | undefined } | undefined): Distribution | undefined {
  return given && { median: given.median, p95: given.p95 ?? given.median };
}
