/** The options that say who should answer. */

import { create } from "@bufbuild/protobuf";
import { type Target, TargetSchema } from "../../gen/sluice/v1/generation_pb.ts";
import { MetricsRequestSchema } from "../../gen/sluice/v1/metrics_pb.ts";
import { RouterService } from "../../gen/sluice/v1/router_service_pb.ts";
import type { OptionSpecs } from "./option-spec.ts";
import type { Arguments } from "./parse-arguments.ts";
import type { CallLimits, CallResult, RpcClient } from "./rpc-client.ts";
import { UsageError } from "./usage-error.ts";

/** The kinds of targets in the contract. */
const KINDS = ["model", "provider", "group", "pool", "chain", "alias"] as const;

type Kind = (typeof KINDS)[number];

/** Shared by the commands that describe a generation. */
export const TARGET_OPTIONS: OptionSpecs = {
  model: {
    type: "string",
    placeholder: "NAME",
    short: "m",
    description: "the model of the catalog to ask; without it Sluice chooses",
  },
  target: {
    type: "string",
    placeholder: "[KIND:]NAME",
    short: "t",
    description: `any target: a ${KINDS.slice(0, -1).join(", ")} or ${KINDS.at(-1)}; the server is asked which where no kind is given`,
  },
};

/** What is said above the failure of `resolveTarget`. */
export const LOOKUP_FAILED =
  "the target could not be looked up; its kind can be given, for example group:NAME";

/** A target as typed; `kind` is undefined where the user did not say. */
export interface TypedTarget {
  readonly kind: Kind | undefined;
  readonly name: string;
}

/** Reads `--model` and `--target`; undefined when neither was given. Throws UsageError. */
export function readTargetOption(args: Arguments): TypedTarget | undefined {
  const model = args.text("model");
  const target = args.text("target");
  if (model !== undefined && target !== undefined) {
    throw new UsageError("--model and --target both say who should answer. Give one of them.");
  }
  if (model === "") throw new UsageError("--model is empty. `sluice models` lists the names.");
  if (model !== undefined) return { kind: "model", name: model };
  if (target === undefined) return undefined;
  const kind = KINDS.find((known) => target.startsWith(`${known}:`));
  const name = kind === undefined ? target : target.slice(kind.length + 1);
  if (name === "") throw new UsageError("--target is empty. `sluice metrics --scopes` lists the names.");
  return { kind, name };
}

/**
 * The target as the contract wants it. The contract has no target of unsaid kind, so the
 * server's scopes are asked for the name; aliases are not among them, so a name that no
 * scope has is taken for an alias, and the server says when it is none.
 */
export async function resolveTarget(
  typed: TypedTarget | undefined,
  client: RpcClient,
  limits: CallLimits,
): Promise<CallResult<Target | undefined>> {
  if (typed === undefined) return { ok: true, value: undefined };
  const { name, kind } = typed;
  if (kind !== undefined) return { ok: true, value: makeTarget(kind, name) };
  const result = await client.unary(RouterService.method.metrics, create(MetricsRequestSchema), limits);
  if (!result.ok) return result;
  const scopes = new Set(result.value.snapshot?.scopes.map(({ scope }) => scope));
  const found = scopes.has(`echelon ${name}`) ? "group" : KINDS.find((each) => scopes.has(`${each} ${name}`));
  return { ok: true, value: makeTarget(found ?? "alias", name) };
}

function makeTarget(kind: Kind, name: string): Target {
  return create(TargetSchema, { kind: { case: kind, value: name } });
}
